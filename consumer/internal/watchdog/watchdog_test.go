package watchdog

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var errOut = errors.New("out of order")

// world is everything the watchdog looks at and acts on.
type world struct {
	mu                    sync.Mutex
	postgres, nats, asked error
	silent                bool // PostgreSQL takes all the time it is given
	deliverable           bool
	work                  Work
	began                 time.Time
	did                   []string
}

func (w *world) Ping(ctx context.Context) error {
	w.mu.Lock()
	silent, err := w.silent, w.postgres
	w.mu.Unlock()
	if silent {
		<-ctx.Done()
		return ctx.Err()
	}
	return err
}

func (w *world) FreeLost(context.Context) error { return nil }

func (w *world) Connected() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.nats
}

func (w *world) Deliverable(context.Context) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.deliverable, w.asked
}

func (w *world) Reconnect() error {
	w.note("reconnect")
	return nil
}

func (w *world) Resubscribe() { w.note("resubscribe") }

func (w *world) Work() Work {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.work
}

func (w *world) note(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.did = append(w.did, what+" "+time.Since(w.began).Round(time.Second).String())
}

func (w *world) change(f func(*world)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f(w)
}

// watch runs a watchdog over the world for a time, in synctest's clock, and
// returns how it ended and when it was first not ready.
func watch(t *testing.T, w *world, length time.Duration, during func(*Watchdog)) (err error, notReady time.Duration) { //nolint:revive,staticcheck // the error is what is tested, not what failed
	t.Helper()
	w.began = time.Now()
	w.work.Progress = w.began
	dog := New(w, w, w, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- dog.Run(ctx) }()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	if during != nil {
		go during(dog)
	}
	for time.Since(w.began) < length {
		select {
		case err := <-ended:
			return err, notReady
		case <-ticker.C:
			if notReady == 0 && dog.NotReady() != "" {
				notReady = time.Since(w.began)
			}
		}
	}
	cancel()
	return <-ended, notReady
}

func TestStallIsRebuiltThenGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{deliverable: true}
		err, notReady := watch(t, w, time.Minute, nil)
		if _, ok := errors.AsType[*StallError](err); !ok {
			t.Errorf("ended with %v", err)
		}
		if took := time.Since(w.began); took < 30*time.Second || took > 32*time.Second {
			t.Errorf("ended after %s", took)
		}
		if notReady > 5*time.Second || notReady == 0 {
			t.Errorf("not ready after %s", notReady)
		}
		want := []string{"resubscribe 5s", "reconnect 10s", "resubscribe 10s", "reconnect 20s", "resubscribe 20s"}
		if !slices.Equal(w.did, want) {
			t.Errorf("did %q", w.did)
		}
	})
}

// TestNoStall: what is not one changes nothing, however long it lasts.
func TestNoStall(t *testing.T) {
	for rule, c := range map[string]struct {
		world *world
		ready bool
	}{
		"nothing to do":                 {&world{}, true},
		"a transaction takes long":      {&world{deliverable: true, work: Work{InFlight: true, Held: true}}, true},
		"PostgreSQL is lost":            {&world{deliverable: true, postgres: errOut}, false},
		"PostgreSQL is silent":          {&world{deliverable: true, silent: true}, false},
		"NATS is lost":                  {&world{nats: errOut, work: Work{Held: true}}, false},
		"PostgreSQL takes no writing":   {&world{deliverable: true, work: Work{Failing: "disk full"}}, false},
		"NATS lost, a message in hand":  {&world{nats: errOut, work: Work{Held: true, InFlight: true}}, false},
		"both lost":                     {&world{nats: errOut, postgres: errOut}, false},
		"nothing deliverable, in hand ": {&world{work: Work{Held: true, InFlight: true}}, true},
	} {
		t.Run(rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := c.world
				w.work.FailingSince = time.Now()
				err, notReady := watch(t, w, 10*time.Minute, nil)
				if err != nil {
					t.Errorf("ended with %v", err)
				}
				if len(w.did) > 0 {
					t.Errorf("did %q", w.did)
				}
				if (notReady == 0) != c.ready || notReady > 5*time.Second {
					t.Errorf("not ready after %s", notReady)
				}
			})
		})
	}
}

// TestUnknownCountsAsPending: it is rebuilt for, but a server that answers
// nobody is not cured by another process.
func TestUnknownCountsAsPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{asked: errOut}
		err, notReady := watch(t, w, time.Minute, nil)
		if err != nil {
			t.Errorf("ended with %v", err)
		}
		if notReady == 0 || notReady > 5*time.Second {
			t.Errorf("not ready after %s", notReady)
		}
		if len(w.did) < 3 || w.did[0] != "resubscribe 5s" || w.did[1] != "reconnect 10s" {
			t.Errorf("did %q", w.did)
		}
	})
}

// TestProgressEndsAStall, also one that has begun to be cured, with which all
// begins anew.
func TestProgressEndsAStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{deliverable: true}
		err, _ := watch(t, w, 50*time.Second, func(dog *Watchdog) {
			for range 2 {
				<-time.After(24500 * time.Millisecond)
				if !strings.HasPrefix(dog.NotReady(), "stalled: messages wait") {
					t.Errorf("ready in a stall: %q", dog.NotReady())
				}
				w.change(func(w *world) { w.work.Progress = time.Now() })
			}
		})
		if err != nil {
			t.Errorf("ended with %v", err)
		}
		if !slices.Contains(w.did, "resubscribe 30s") {
			t.Errorf("did %q", w.did)
		}
	})
}

// TestReconnectingCuresNothing: that the connection is away while it is being
// made anew does not begin the stall anew.
func TestReconnectingCuresNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{deliverable: true}
		err, _ := watch(t, w, time.Minute, func(*Watchdog) {
			<-time.After(10500 * time.Millisecond)
			w.change(func(w *world) { w.nats = errOut })
			<-time.After(2 * time.Second)
			w.change(func(w *world) { w.nats = nil })
		})
		if _, ok := errors.AsType[*StallError](err); !ok {
			t.Errorf("ended with %v", err)
		}
	})
}

func TestReadyAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{postgres: errOut}
		_, notReady := watch(t, w, time.Minute, func(dog *Watchdog) {
			<-time.After(20 * time.Second)
			if got := dog.NotReady(); got != "PostgreSQL does not answer: out of order" {
				t.Errorf("got %q", got)
			}
			w.change(func(w *world) { w.postgres = nil })
			<-time.After(1100 * time.Millisecond)
			if got := dog.NotReady(); got != "" {
				t.Errorf("got %q", got)
			}
		})
		if notReady > 5*time.Second {
			t.Errorf("not ready after %s", notReady)
		}
	})
}

// TestState is what the last look found, and no more: readiness waits longer.
func TestState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{deliverable: true}
		_, _ = watch(t, w, 20*time.Second, func(dog *Watchdog) {
			expect := func(want State) {
				t.Helper()
				<-time.After(100 * time.Millisecond) // behind the look
				if got := dog.State(); got != want {
					t.Errorf("after %s: %+v, want %+v", time.Since(w.began), got, want)
				}
			}
			expect(State{PostgreSQL: true, NATS: true})
			<-time.After(5 * time.Second)
			expect(State{PostgreSQL: true, NATS: true, Stalled: 5 * time.Second})
			w.change(func(w *world) { w.asked = errOut })
			<-time.After(time.Second)
			expect(State{PostgreSQL: true})
			w.change(func(w *world) { w.postgres = errOut })
			<-time.After(time.Second)
			expect(State{})
		})
	})
}
