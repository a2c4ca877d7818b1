package announce

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"pgregory.net/rapid"

	"github.com/streamgauge/streamgauge/shared/stats"
)

func (w *world) expect(t *testing.T, what string, want ...int64) {
	t.Helper()
	synctest.Wait()
	if diff := cmp.Diff(want, w.seen()); diff != "" {
		t.Errorf("%s: want -, got +%s", what, diff)
	}
}

func TestAnnouncesOwnCommitsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, 3)
		w.expect(t, "at the start")
		for revision := int64(4); revision <= 9; revision++ {
			w.commit(revision)
		}
		w.expect(t, "commits", 4, 5, 6, 7, 8, 9)
		pass(10 * promised)
		w.expect(t, "quiet")
	})
}

func TestAnnouncesAtTheStart(t *testing.T) {
	for _, test := range []struct {
		rule string
		kept *stats.Snapshot
		want []int64
	}{
		{"what a crash kept from being published", at(4), []int64{5}},
		{"what the stream keeps already", at(5), nil},
		{"what the stream has lost", nil, []int64{5}},
		{"over another database's", &stats.Snapshot{Database: "another", Revision: 5}, []int64{5}},
		{"over a later one of a database that was restored", at(9), []int64{5}},
	} {
		t.Run(test.rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &bus{}
				if test.kept != nil {
					b.other(t, test.kept)
					b.seen()
				}
				a := NewOn(b, &database{current: at(5)}, slog.New(slog.DiscardHandler))
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error)
				go func() { ended <- a.Run(ctx) }()
				pass(promised)
				if diff := cmp.Diff(test.want, b.seen()); diff != "" {
					t.Error("want -, got +", diff)
				}
				pass(5 * promised)
				if got := b.seen(); got != nil {
					t.Errorf("and then %v", got)
				}
				cancel()
				if err := <-ended; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestAnnouncesNothingLowerThanTheHighestSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, 3)
		w.database.change(func(d *database) { d.current = at(9) })
		w.other(t, at(9))
		w.seen()
		w.Commit(at(8)) // committed before, announced late
		w.Commit(at(9))
		w.expect(t, "what another process has overtaken")
		w.commit(10)
		w.expect(t, "the next", 10)
	})
}

func TestCatchesUpWhenQuiet(t *testing.T) {
	for _, test := range []struct {
		rule   string
		happen func(t *testing.T, w *world)
		want   []int64
	}{
		{"a process died between commit and publish", func(_ *testing.T, w *world) {
			w.database.change(func(d *database) { d.current = at(7) })
		}, []int64{7}},
		{"the stream lost its message", func(_ *testing.T, w *world) {
			w.change(func(b *bus) { b.last = nil })
		}, []int64{3}},
		{"the stream keeps no snapshot", func(_ *testing.T, w *world) {
			w.change(func(b *bus) { b.last = []byte("hello") })
		}, []int64{3}},
		{"the stream keeps an older one", func(_ *testing.T, w *world) {
			w.change(func(b *bus) { b.last, _ = at(2).Encode() })
		}, []int64{3}},
		{"someone announced late", func(t *testing.T, w *world) {
			t.Helper()
			w.other(t, at(2))
			w.seen()
		}, []int64{3}},
		{"someone announced late, and nobody can say what the stream keeps", func(t *testing.T, w *world) {
			t.Helper()
			w.other(t, at(2))
			w.seen()
			w.change(func(b *bus) { b.failKept = nats.ErrTimeout })
		}, []int64{3}},
		{"someone announced what is not committed", func(t *testing.T, w *world) {
			t.Helper()
			w.other(t, at(99))
			w.seen()
		}, []int64{3}},
		{"the database was restored", func(_ *testing.T, w *world) {
			w.database.change(func(d *database) { d.current = at(1) })
		}, []int64{1}},
		{"the database is another one", func(_ *testing.T, w *world) {
			w.database.change(func(d *database) { d.current = &stats.Snapshot{Database: "another", Revision: 2} })
		}, []int64{2}},
		{"nobody can say what the stream keeps", func(_ *testing.T, w *world) {
			w.change(func(b *bus) { b.last, b.failKept = nil, nats.ErrTimeout })
		}, nil},
		{"someone published what is no snapshot", func(t *testing.T, w *world) {
			t.Helper()
			if err := w.Publish([]byte("hello")); err != nil {
				t.Fatal(err)
			}
		}, []int64{3}},
	} {
		t.Run(test.rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := start(t, 3)
				w.commit(3)
				pass(promised)
				w.seen()
				test.happen(t, w)
				pass(promised)
				w.expect(t, "within the time promised", test.want...)
				pass(5 * promised)
				w.expect(t, "and then")
			})
		})
	}
}

// A stream that has lost its leader keeps nothing of what is published, and answers
// nobody. Once it has one again it gets the last snapshot in the time promised,
// whenever that is in the course of a question.
func TestCatchesUpWhenTheStreamHasALeaderAgain(t *testing.T) {
	for after := time.Duration(0); after < 5*time.Second; after += 130 * time.Millisecond {
		t.Run(after.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := start(t, 3)
				w.commit(3)
				pass(promised)
				w.change(func(b *bus) { b.hangs = true })
				w.database.change(func(d *database) { d.current = at(4) })
				w.commit(4)
				pass(after)
				w.change(func(b *bus) { b.hangs = false })
				pass(promised)
				if kept, err := stats.Decode(w.bus.last); err != nil || kept.Revision != 4 {
					t.Errorf("the stream keeps revision %d (%v), not 4", kept.Revision, err)
				}
			})
		})
	}
}

// What is no snapshot of prices does not count as heard: else it could keep the
// last one from being published for ever.
func TestNoiseIsNotNews(t *testing.T) {
	foreign, err := (&stats.Snapshot{Metric: "weight", Database: here, Revision: 77}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	for name, noise := range map[string][]byte{
		"junk":             []byte("{"),
		"nothing":          nil,
		"another metric's": foreign,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := start(t, 3)
				w.database.change(func(d *database) { d.current = at(4) })
				for range 8 {
					pass(promised / 8)
					if err := w.Publish(noise); err != nil {
						t.Fatal(err)
					}
				}
				synctest.Wait()
				if got := w.seen(); !slices.Contains(got, 4) {
					t.Errorf("published %v", got)
				}
				w.commit(5) // another metric's revision is not prices'
				synctest.Wait()
				if got := w.seen(); !slices.Contains(got, 5) {
					t.Errorf("then published %v", got)
				}
			})
		})
	}
}

// Someone announced a revision that nobody has committed. Commits are then left
// out as if they were old; they must not put off the look that sets it right.
func TestSuppressedCommitsAreNotNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, 3)
		w.other(t, at(99))
		w.seen()
		revision := int64(3)
		for range 8 {
			revision++
			w.commit(revision)
			pass(promised / 8)
		}
		if got := w.seen(); len(got) == 0 || slices.Max(got) > revision {
			t.Errorf("within %s of commits published %v", promised, got)
		}
		pass(promised)
		w.commit(revision + 1)
		w.expect(t, "the next, when it has been set right", revision+1)
	})
}

func TestLeavesTheDatabaseAloneWhileThereIsNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, 1)
		w.database.change(func(d *database) { d.looks = 0 })
		for revision := int64(2); revision < 40; revision++ {
			pass(quiet / 2)
			if revision%2 == 0 {
				w.commit(revision)
			} else {
				w.database.change(func(d *database) { d.current = at(revision) })
				w.other(t, at(revision))
			}
		}
		synctest.Wait()
		w.database.change(func(d *database) {
			if d.looks != 0 {
				t.Errorf("looked %d times", d.looks)
			}
		})
	})
}

func TestMakesUpForAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, 3)
		w.change(func(b *bus) { b.fail, b.failKept = nats.ErrReconnectBufExceeded, nats.ErrTimeout })
		w.commit(4)
		w.commit(5)
		pass(10 * promised)
		w.expect(t, "while NATS is away")
		w.change(func(b *bus) { b.fail, b.failKept = nil, nil })
		pass(promised)
		w.expect(t, "when it is back", 5)
		w.commit(6)
		w.expect(t, "the next", 6)
	})
}

func TestBearsADatabaseThatDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, 3)
		w.database.change(func(d *database) { d.fail = errors.New("away") })
		pass(10 * promised)
		w.expect(t, "while it fails")
		w.database.change(func(d *database) { d.fail, d.hangs = nil, true })
		pass(promised)
		w.Commit(at(4))
		pass(lookTimeout)
		w.expect(t, "while it hangs, a commit that came through", 4)
		w.database.change(func(d *database) { d.hangs, d.current = false, at(5) })
		pass(lookTimeout + promised)
		w.expect(t, "when it is back", 5)
	})
}

func TestStopPublishesWhatWasCommitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, 3)
		w.database.change(func(d *database) { d.hangs = true })
		pass(quiet)
		for revision := int64(4); revision <= 6; revision++ {
			w.Commit(at(revision)) // while Run looks at the database
		}
		w.stop()
		if err := <-w.ended; err != nil {
			t.Error(err)
		}
		w.expect(t, "at the end", 4, 5, 6)
		if len(w.listeners) != 0 {
			t.Error("still subscribed")
		}
	})
}

func TestCommitNeverBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const commits = waiting + 500
		b, d := &bus{}, &database{current: at(commits)}
		a := NewOn(b, d, slog.New(slog.DiscardHandler))
		for revision := int64(1); revision <= commits; revision++ {
			a.Commit(at(revision))
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- a.Run(ctx) }()
		pass(promised)
		got := b.seen()
		if !slices.IsSorted(got) || got[len(got)-1] != commits {
			t.Errorf("published %v", got)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

type deafSubject struct{ bus }

func (*deafSubject) Listen(chan *nats.Msg) (func(), error) { return nil, nats.ErrConnectionClosed }

func TestRunFailsWithoutASubscription(t *testing.T) {
	a := NewOn(&deafSubject{}, &database{current: at(1)}, slog.New(slog.DiscardHandler))
	if err := a.Run(t.Context()); !errors.Is(err, nats.ErrConnectionClosed) {
		t.Errorf("got %v", err)
	}
}

// Whatever happens between several processes, a subscriber that ignores lower
// revisions sees them rise, and when it is quiet has the database's. With one
// process none is lower than the one before, whoever subscribes.
func TestAnyCourseOfEvents(t *testing.T) {
	for _, processes := range []int{1, 3} {
		rapid.Check(t, func(rt *rapid.T) {
			steps := rapid.SliceOfN(rapid.Custom(drawStep), 0, 40).Draw(rt, "steps")
			var fault error
			synctest.Test(t, func(*testing.T) { fault = follow(steps, processes) })
			if fault != nil {
				rt.Fatalf("%d processes: %v", processes, fault)
			}
		})
	}
}

type event int

const (
	commits event = iota
	diesBeforeItAnnounces
	streamIsLost
	natsGoesAway
	natsIsBack
	timePasses
)

type step struct {
	event event
	who   int
	pause time.Duration
}

func drawStep(t *rapid.T) step {
	return step{
		event: rapid.SampledFrom([]event{
			commits, commits, commits, diesBeforeItAnnounces, streamIsLost, natsGoesAway, natsIsBack, timePasses,
		}).Draw(t, "event"),
		who:   rapid.IntRange(0, 100).Draw(t, "who"),
		pause: time.Duration(rapid.Int64Range(0, int64(3*time.Second)).Draw(t, "pause")),
	}
}

func follow(steps []step, processes int) error {
	b, d := &bus{}, &database{current: at(0)}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, processes)
	announcers := make([]*Announcer, processes)
	for i := range announcers {
		announcers[i] = NewOn(b, d, slog.New(slog.DiscardHandler))
		go func() { ended <- announcers[i].Run(ctx) }()
	}
	revision := int64(0)
	for _, s := range steps {
		switch s.event {
		case commits, diesBeforeItAnnounces:
			revision++
			d.change(func(d *database) { d.current = at(revision) })
			if s.event == commits {
				announcers[s.who%processes].Commit(at(revision))
			}
		case streamIsLost:
			b.change(func(b *bus) { b.last = nil })
		case natsGoesAway:
			b.change(func(b *bus) { b.fail, b.failKept = nats.ErrReconnectBufExceeded, nats.ErrTimeout })
		case natsIsBack:
			b.change(func(b *bus) { b.fail, b.failKept = nil, nil })
		case timePasses:
			pass(s.pause)
		}
	}
	b.change(func(b *bus) { b.fail, b.failKept = nil, nil })
	pass(promised)
	published := b.seen()
	cancel()
	var failed error
	for range announcers {
		failed = errors.Join(failed, <-ended)
	}
	last, err := stats.Decode(b.last)
	switch {
	case failed != nil:
		return failed
	case processes == 1 && !slices.IsSorted(published):
		return fmt.Errorf("one process published %v", published)
	case len(published) == 0 || published[len(published)-1] != revision || slices.Max(published) != revision:
		return fmt.Errorf("the database has %d, published %v", revision, published)
	case err != nil || last.Revision != revision:
		return fmt.Errorf("the database has %d, the stream keeps %s", revision, b.last)
	}
	return nil
}
