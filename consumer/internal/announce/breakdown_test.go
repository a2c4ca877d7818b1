package announce

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/shared/stats"
)

// board is the subjects below stats.price and the tables of groups.
type board struct {
	mu     sync.Mutex
	kept   map[string]int64 // the revision by subject
	sent   int
	fail   error
	groups map[stats.By][]*stats.Group
	hangs  bool
}

func (b *board) PublishOn(subject string, line []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		return b.fail
	}
	group, err := stats.DecodeGroup(line)
	if err != nil {
		return err
	}
	b.kept[subject] = group.Revision
	b.sent++
	return nil
}

func (b *board) KeptOn(_ context.Context, subject string) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, has := b.kept[subject]; !has {
		return nil, nil
	}
	return []byte("{}"), nil
}

func (b *board) Changed(ctx context.Context, by stats.By, revision, place int64, limit int) ([]*stats.Group, int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.hangs {
		return nil, 0, errors.New("no answer")
	}
	var found []*stats.Group
	last := int64(0)
	for i, g := range b.groups[by] {
		if len(found) < limit && int64(i) > place && g.Revision > revision {
			copied := *g
			found, last = append(found, &copied), int64(i)
		}
	}
	return found, last, ctx.Err()
}

// touch changes groups in one transaction.
func (b *board) touch(by stats.By, revision int64, keys ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, key := range keys {
		at := slices.IndexFunc(b.groups[by], func(g *stats.Group) bool { return g.Key == key })
		if at < 0 {
			at = len(b.groups[by])
			b.groups[by] = append(b.groups[by], &stats.Group{Metric: "price", Database: here, By: by, Key: key})
		}
		b.groups[by][at].Revision = revision
	}
}

func (b *board) keeps() map[string]int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.kept)
}

func (b *board) change(f func(*board)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(b)
}

func (b *board) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.sent
	b.sent = 0
	return n
}

func breaking(t *testing.T) (*board, *Breakdown) {
	t.Helper()
	on := &board{kept: map[string]int64{}, groups: map[stats.By][]*stats.Group{}}
	b := NewBreakdownOn(on, on, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return on, b
}

func days(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = time.Date(2012, 1, 1+i, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
	}
	return list
}

func TestBreakdownPublishesWhatChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on, b := breaking(t)
		on.touch(stats.BySource, 1, "abc+v1.2")
		on.touch(stats.ByDay, 1, "2012-01-10")
		on.touch(stats.ByDay, 2, "2012-01-11")
		pass(5 * time.Second)
		if n := on.count(); n != 0 {
			t.Errorf("%d published before anything was heard of the database", n)
		}
		b.Observe(at(2))
		pass(2 * time.Second)
		want := map[string]int64{"stats.price.source.abc+v1%2E2": 1, "stats.price.day.2012-01-10": 1, "stats.price.day.2012-01-11": 2}
		if diff := cmp.Diff(want, on.keeps()); diff != "" {
			t.Error("want -, got +", diff)
		}
		on.count()
		on.touch(stats.ByDay, 3, "2012-01-11")
		b.Observe(at(3))
		pass(2 * time.Second)
		if n := on.count(); n != 1 || on.keeps()["stats.price.day.2012-01-11"] != 3 {
			t.Errorf("%d published, %v", n, on.keeps())
		}
		pass(time.Minute)
		if n := on.count(); n != 0 {
			t.Errorf("%d published while nothing changed", n)
		}
	})
}

// Each commit changes every day: what is published a second is bounded, each day
// has its turn, and in the end all are as the database has them.
func TestBreakdownIsBoundedAndFair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on, b := breaking(t)
		all := days(366)
		revision := int64(0)
		for range 60 {
			for range 7 {
				revision++
				on.touch(stats.BySource, revision, "one")
				on.touch(stats.ByDay, revision, all...)
				b.Observe(at(revision))
			}
			pass(time.Second)
			if n := on.count(); n > mostGroups {
				t.Fatalf("%d published in a second", n)
			}
		}
		kept := on.keeps()
		for _, day := range all {
			if kept["stats.price.day."+day] < revision-7*6 {
				t.Fatalf("%s was published last at revision %d of %d", day, kept["stats.price.day."+day], revision)
			}
		}
		pass(10 * time.Second)
		for subject, published := range on.keeps() {
			if published != revision {
				t.Fatalf("%s is at revision %d, not %d", subject, published, revision)
			}
		}
	})
}

func TestBreakdownMakesUpForWhatIsLost(t *testing.T) {
	for _, test := range []struct {
		rule string
		lose func(*board, *Breakdown)
	}{
		{"NATS is away for a while", func(on *board, b *Breakdown) {
			on.change(func(b *board) { b.fail = errors.New("disconnected") })
			on.touch(stats.ByDay, 2, "2012-01-01")
			b.Observe(at(2))
			pass(5 * time.Second)
			on.change(func(b *board) { b.fail = nil })
		}},
		{"PostgreSQL is away for a while", func(on *board, b *Breakdown) {
			on.change(func(b *board) { b.hangs = true })
			on.touch(stats.ByDay, 2, "2012-01-01")
			b.Observe(at(2))
			pass(5 * time.Second)
			on.change(func(b *board) { b.hangs = false })
		}},
		{"the stream loses all", func(on *board, _ *Breakdown) {
			on.change(func(b *board) { clear(b.kept) })
		}},
		{"another database", func(on *board, b *Breakdown) {
			on.change(func(b *board) {
				clear(b.kept)
				for _, g := range b.groups[stats.ByDay] {
					g.Revision = 1
				}
			})
			other := at(1)
			other.Database = "another"
			b.Observe(other)
		}},
		{"an older one, restored", func(on *board, b *Breakdown) {
			on.touch(stats.ByDay, 7, "2012-01-01")
			b.Observe(at(7))
			pass(5 * time.Second)
			on.touch(stats.ByDay, 1, "2012-01-01")
			b.Observe(at(1))
		}},
	} {
		t.Run(test.rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				on, b := breaking(t)
				on.touch(stats.ByDay, 1, days(250)...)
				b.Observe(at(1))
				pass(5 * time.Second)
				test.lose(on, b)
				pass(keptEvery*time.Second + 5*time.Second)
				want := make(map[string]int64)
				for _, g := range on.groups[stats.ByDay] {
					want["stats.price.day."+g.Key] = g.Revision
				}
				if diff := cmp.Diff(want, on.keeps()); diff != "" {
					t.Error("want -, got +", diff)
				}
			})
		})
	}
}

// What was committed before the end is published with it.
func TestBreakdownLooksOnceMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := &board{kept: map[string]int64{}, groups: map[stats.By][]*stats.Group{}}
		b := NewBreakdownOn(on, on, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- b.Run(ctx) }()
		on.touch(stats.ByDay, 1, "2012-01-01")
		b.Observe(at(1))
		cancel()
		if err := <-ended; err != nil || on.keeps()["stats.price.day.2012-01-01"] != 1 {
			t.Errorf("%v, %s", err, fmt.Sprint(on.keeps()))
		}
	})
}
