package page

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/shared/stats"
)

// Database is asked while someone watches, and then once a second at most; see
// store.Store.Recent.
type Database interface {
	Recent(ctx context.Context, loads, setAside int) (*store.Recent, error)
}

// Queue is the stream of batches, asked as often as Database.
type Queue interface {
	Backlog(ctx context.Context) (Backlog, error)
}

// Backlog is what the stream holds that is not committed.
type Backlog struct {
	Batches uint64
	Bytes   uint64
	// Oldest is for how long its first message has been there.
	Oldest time.Duration
}

// Distribution counts the prices in buckets, in any order. It is asked as often
// as Database, where there are new prices.
type Distribution interface {
	Distribution(ctx context.Context) ([]Bucket, error)
}

// Sources is where the page has everything from but the snapshots.
type Sources struct {
	Database Database
	Queue    Queue
	// Distribution may be nil: then the page has no plot of it.
	Distribution Distribution
}

const (
	// lookEvery is how often Database and Queue are asked.
	lookEvery = time.Second
	// lookWithin bounds each look; what takes longer counts as no answer.
	lookWithin = 2 * time.Second
	// shownLoads and shownSetAside bound the lists.
	shownLoads    = 20
	shownSetAside = 10
)

// feed is what there is to show, for any number of watchers. It keeps no queue
// for them: who is slow misses what was in between.
type feed struct {
	came  chan struct{} // holds one where someone may have begun to watch
	ended chan struct{} // closed when run has ended

	mu       sync.Mutex
	changed  chan struct{} // closed with the next change
	running  bool
	snapshot *stats.Snapshot
	course   course
	pace     pace
	look     *look // the last one
	spread   *spread
	watchers int
}

// spread is how the prices lay at a snapshot.
type spread struct {
	of        *stats.Snapshot
	histogram histogram
}

// look is what was found at one moment.
type look struct {
	recent  *store.Recent // nil where PostgreSQL did not answer
	backlog *Backlog      // nil where NATS did not
	rate    float64       // rows a second
}

func newFeed() *feed {
	return &feed{came: make(chan struct{}, 1), ended: make(chan struct{}), changed: make(chan struct{})}
}

// Observe tells the page of a snapshot. It takes what it is told for the truth,
// also an older revision, and does not block.
func (p *Page) Observe(s *stats.Snapshot) { p.feed.observe(s) }

// Run asks the sources while someone watches, until ctx is over; then it ends
// the streams of events. It is called once.
func (p *Page) Run(ctx context.Context, sources Sources) { p.feed.run(ctx, sources) }

func (f *feed) observe(s *stats.Snapshot) {
	f.mu.Lock()
	defer f.mu.Unlock()
	last := f.snapshot
	if last != nil && last.Database == s.Database && last.Revision == s.Revision {
		return
	}
	if last != nil && (last.Database != s.Database || s.Count < last.Count) {
		f.course, f.pace = course{}, pace{}
	}
	f.snapshot = s
	f.course.add(s)
	f.pace.add(time.Now(), s.Rows)
	f.change()
}

// change wakes who watches. The caller holds the lock.
func (f *feed) change() {
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *feed) latest() *stats.Snapshot {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.snapshot
}

func (f *feed) run(ctx context.Context, sources Sources) {
	defer close(f.ended)
	f.mu.Lock()
	f.running = true
	f.mu.Unlock()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.came:
		}
		tick.Reset(lookEvery)
		for f.watched() {
			f.lookAround(ctx, sources)
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}
}

func (f *feed) watched() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.watchers > 0
}

// lookAround asks both at once: one that hangs must not hide the other.
func (f *feed) lookAround(ctx context.Context, sources Sources) {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	var found look
	var asking sync.WaitGroup
	asking.Go(func() {
		if recent, err := sources.Database.Recent(ctx, shownLoads, shownSetAside); err == nil {
			found.recent = recent
		}
	})
	asking.Go(func() {
		if backlog, err := sources.Queue.Backlog(ctx); err == nil {
			found.backlog = &backlog
		}
	})
	var fresh *spread
	asking.Go(func() { fresh = f.lookAtPrices(ctx, sources.Distribution) })
	asking.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	if fresh != nil {
		f.spread = fresh
	}
	found.rate = f.pace.rate(time.Now())
	f.look = &found
	f.change()
}

// lookAtPrices returns nil where there is nothing new.
func (f *feed) lookAtPrices(ctx context.Context, distribution Distribution) *spread {
	f.mu.Lock()
	snapshot, last := f.snapshot, f.spread
	f.mu.Unlock()
	if distribution == nil || snapshot == nil || last != nil && last.of == snapshot {
		return nil
	}
	low, errLow := strconv.ParseFloat(string(snapshot.Min), 64)
	high, errHigh := strconv.ParseFloat(string(snapshot.Max), 64)
	if errLow != nil || errHigh != nil {
		return &spread{of: snapshot} // there are no prices
	}
	buckets, err := distribution.Distribution(ctx)
	if err != nil {
		return nil
	}
	return &spread{snapshot, bars(buckets, low, high)}
}

func (f *feed) isRunning() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.running
}

// watch counts a watcher until stop is called; ok is false where there are as
// many as may be.
func (f *feed) watch() (stop func(), ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.watchers >= mostWatchers {
		return nil, false
	}
	if f.watchers == 0 {
		f.look = nil // it may be old
	}
	f.watchers++
	select {
	case f.came <- struct{}{}:
	default:
	}
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.watchers--
	}, true
}

// news is what a watcher has not been sent yet.
type news struct {
	snapshot *stats.Snapshot
	course   []point // instead of a snapshot's one point: the whole plot
	look     *look
	spread   *spread
}

// since returns what differs from what a watcher was sent last, and a channel
// that is closed with the next change.
func (f *feed) since(sent news) (news, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var n news
	if f.snapshot != sent.snapshot {
		n.snapshot = f.snapshot
		begun := sent.snapshot != nil && sent.snapshot.Database == f.snapshot.Database && sent.snapshot.Count <= f.snapshot.Count
		if !begun {
			n.course = append([]point{}, f.course.points...)
		}
	}
	if f.look != sent.look {
		n.look = f.look
	}
	if f.spread != sent.spread {
		n.spread = f.spread
	}
	return n, f.changed
}
