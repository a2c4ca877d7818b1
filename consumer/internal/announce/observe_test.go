package announce

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"github.com/streamgauge/streamgauge/shared/stats"
)

func TestObserverSeesWhatSubscribersKeep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{bus: &bus{}, database: &database{current: at(3)}}
		w.other(t, at(3))
		w.Announcer = NewOn(w.bus, w.database, slog.New(slog.DiscardHandler))
		var mu sync.Mutex
		var observed []int64
		w.Observe(func(s *stats.Snapshot) {
			mu.Lock()
			defer mu.Unlock()
			observed = append(observed, s.Revision)
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- w.Run(ctx) }()
		expect := func(when string, want ...int64) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if diff := cmp.Diff(want, slices.Compact(observed)); diff != "" {
				t.Errorf("%s: want -, got +%s", when, diff)
			}
			observed = nil
		}
		pass(promised)
		expect("at the start, with nothing to publish", 3)
		w.commit(4)
		expect("a commit", 4)
		w.database.change(func(d *database) { d.current = at(6) })
		w.other(t, at(6))
		w.other(t, at(5))
		expect("two of another process, the older one late", 6)
		pass(promised)
		expect("the database's, when it is quiet", 6)
		w.change(func(b *bus) { b.fail = nats.ErrReconnectBufExceeded })
		w.commit(7)
		expect("while NATS is away")
		pass(promised)
		expect("and when it is looked up", 7)
		w.database.change(func(d *database) { d.current = at(2) })
		pass(promised)
		expect("the database was restored", 2)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
