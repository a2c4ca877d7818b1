package announce

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/streamgauge/streamgauge/shared/stats"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const here = "0b1f2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"

func at(revision int64) *stats.Snapshot {
	return &stats.Snapshot{Metric: "price", Database: here, Revision: revision, Rows: 10 * revision}
}

// bus is stats.price and its stream, for any number of announcers.
type bus struct {
	mu        sync.Mutex
	published []int64 // the revisions, whoever published them
	last      []byte
	listeners []chan *nats.Msg
	fail      error // of publishing
	failKept  error // of asking what is kept
	hangs     bool  // the stream has no leader: it keeps nothing, and does not answer
}

func (b *bus) Publish(line []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		return b.fail
	}
	if s, err := stats.Decode(line); err == nil {
		b.published = append(b.published, s.Revision)
	}
	if !b.hangs {
		b.last = line
	}
	for _, heard := range b.listeners {
		heard <- &nats.Msg{Data: line}
	}
	return nil
}

func (b *bus) Listen(heard chan *nats.Msg) (func(), error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.listeners = append(b.listeners, heard)
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.listeners = slices.DeleteFunc(b.listeners, func(c chan *nats.Msg) bool { return c == heard })
	}, nil
}

func (b *bus) Kept(ctx context.Context) ([]byte, error) {
	b.mu.Lock()
	last, fail, hangs := b.last, b.failKept, b.hangs
	b.mu.Unlock()
	if hangs {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return last, fail
}

// other publishes as another process does.
func (b *bus) other(t *testing.T, s *stats.Snapshot) {
	t.Helper()
	line, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Publish(line); err != nil {
		t.Fatal(err)
	}
}

func (b *bus) change(f func(*bus)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(b)
}

// seen returns the revisions published since it was last asked.
func (b *bus) seen() []int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	published := b.published
	b.published = nil
	return published
}

// database is where the statistics stand.
type database struct {
	mu      sync.Mutex
	current *stats.Snapshot
	fail    error
	hangs   bool
	looks   int
}

func (d *database) Latest(ctx context.Context) (*stats.Snapshot, error) {
	d.mu.Lock()
	current, fail, hangs := d.current, d.fail, d.hangs
	d.looks++
	d.mu.Unlock()
	if hangs {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return current, fail
}

func (d *database) change(f func(*database)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f(d)
}

// world is one announcer on a bus, with its database at a revision that the
// stream keeps already.
type world struct {
	*bus
	database *database
	*Announcer
	stop  context.CancelFunc
	ended chan error
}

func start(t *testing.T, revision int64) *world {
	t.Helper()
	w := &world{bus: &bus{}, database: &database{current: at(revision)}, ended: make(chan error, 1)}
	w.other(t, at(revision))
	w.seen()
	w.Announcer = NewOn(w.bus, w.database, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	w.stop = cancel
	go func() { w.ended <- w.Run(ctx) }()
	t.Cleanup(cancel)
	synctest.Wait()
	return w
}

// commit is a transaction of this process.
func (w *world) commit(revision int64) {
	w.database.change(func(d *database) { d.current = at(revision) })
	w.Commit(at(revision))
}

// pass lets time pass.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// promised is within how long of quiet the last one published is the database's.
const promised = 2 * time.Second
