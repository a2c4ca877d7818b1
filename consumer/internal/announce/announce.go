// Package announce publishes snapshots on stats.price, and sees to it that the
// last one published is the database's.
package announce

import (
	"context"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/streamgauge/streamgauge/shared/stats"
)

const (
	// metric is what the snapshots on stats.price measure.
	metric = "price"
	// quiet is how long nothing is heard on stats.price before the database is
	// asked whether the last snapshot published is its own.
	quiet = time.Second
	// waiting is how many snapshots may wait to be published. Those beyond are
	// left out: a later one says more.
	waiting = 1024
	// lookTimeout bounds each look at the database and the stream.
	lookTimeout = 3 * time.Second
	// keptTimeout bounds the question what the stream keeps. While a stream has no
	// leader nobody answers; together with quiet, after which it is asked again, it
	// stays below the 2 s within which the last snapshot is promised.
	keptTimeout = 700 * time.Millisecond
)

// Database is where the statistics stand; see store.Store.Latest.
type Database interface {
	Latest(ctx context.Context) (*stats.Snapshot, error)
}

// Subject is stats.price, as the announcer uses it.
type Subject interface {
	Publish(line []byte) error
	// Listen passes on what anyone publishes, until stop is called.
	Listen(heard chan *nats.Msg) (stop func(), err error)
	// Kept returns the line that latecomers get; nil when there is none.
	Kept(ctx context.Context) ([]byte, error)
}

// Announcer publishes the snapshots of one process and follows those of all.
type Announcer struct {
	subject  Subject
	database Database
	logger   *slog.Logger
	commits  chan *stats.Snapshot
	observe  func(*stats.Snapshot)

	// Only Run's goroutine uses the following.
	highest *stats.Snapshot // the newest seen or published
	last    *stats.Snapshot // the one seen or published last
}

// New returns an Announcer that publishes nothing before Run.
func New(nc *nats.Conn, js jetstream.JetStream, database Database, ensure Ensure, logger *slog.Logger) *Announcer {
	return NewOn(&natsSubject{nc: nc, js: js, ensure: ensure, logger: logger}, database, logger)
}

// NewOn is New on any Subject.
func NewOn(on Subject, database Database, logger *slog.Logger) *Announcer {
	return &Announcer{subject: on, database: database, logger: logger, commits: make(chan *stats.Snapshot, waiting), observe: func(*stats.Snapshot) {}}
}

// Observe has f called with each snapshot that a subscriber who ignores lower
// revisions would keep, and with the database's each time it is looked up. f
// must not block. Observe is called before Run, if at all.
func (a *Announcer) Observe(f func(*stats.Snapshot)) { a.observe = f }

// Commit has a snapshot published that was just committed. It never blocks;
// what it can't keep is made up for when quiet has passed. It is safe for
// concurrent use, and keeps the order of the calls.
func (a *Announcer) Commit(s *stats.Snapshot) {
	select {
	case a.commits <- s:
	default:
	}
}

// Run publishes and follows until ctx is over; then it publishes what was
// committed before.
func (a *Announcer) Run(ctx context.Context) error {
	heard := make(chan *nats.Msg, waiting)
	stop, err := a.subject.Listen(heard)
	if err != nil {
		return err
	}
	defer stop()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var news bool
		select {
		case <-ctx.Done():
			a.publishRest()
			return nil
		case s := <-a.commits:
			news = a.publish(s)
		case msg := <-heard:
			news = a.hear(msg.Data)
		case <-timer.C:
			a.catchUp(ctx)
			news = true
		}
		if a.takeAtHand(heard) || news {
			timer.Reset(quiet)
		}
	}
}

// takeAtHand takes what has come meanwhile, what was heard first: it may make
// publishing needless. It says whether any of it was news.
func (a *Announcer) takeAtHand(heard chan *nats.Msg) (news bool) {
	for {
		select {
		case msg := <-heard:
			news = a.hear(msg.Data) || news
			continue
		default:
		}
		select {
		case s := <-a.commits:
			news = a.publish(s) || news
		default:
			return news
		}
	}
}

func (a *Announcer) publishRest() {
	for {
		select {
		case s := <-a.commits:
			a.publish(s)
		default:
			return
		}
	}
}

// publish leaves out what would take a subscriber back, and says whether it has
// published. What it has not is made up for when quiet has passed.
func (a *Announcer) publish(s *stats.Snapshot) bool {
	if a.highest != nil && !s.Supersedes(a.highest) {
		return false
	}
	line, err := s.Encode()
	if err != nil {
		a.logger.Error("a snapshot can't be published", "error", err)
		return false
	}
	if err := a.subject.Publish(line); err != nil {
		return false
	}
	a.highest, a.last = s, s
	a.observe(s)
	return true
}

// hear notes what anyone published, this process included, and says whether
// that was a snapshot.
func (a *Announcer) hear(line []byte) bool {
	s, err := stats.Decode(line)
	if err != nil || s.Metric != metric {
		return false
	}
	a.last = &s
	if a.highest == nil || s.Supersedes(a.highest) {
		a.highest = &s
		a.observe(&s)
	}
	return true
}

// catchUp publishes the database's snapshot unless it is the last that
// subscribers heard and that the stream keeps.
func (a *Announcer) catchUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	current, err := a.database.Latest(ctx)
	if err != nil {
		return // The writers meet the same failure, and log it.
	}
	a.observe(current)
	// A process that has just started has heard nothing: the stream tells it.
	if (a.last == nil || same(a.last, current)) && a.streamKeeps(ctx, current) {
		return
	}
	a.highest = nil // The database is right, also against a higher revision from another one.
	a.publish(current)
}

// streamKeeps says whether latecomers would get s. It takes an answer that does
// not come for yes: there is nobody to tell anything then.
func (a *Announcer) streamKeeps(ctx context.Context, s *stats.Snapshot) bool {
	ctx, cancel := context.WithTimeout(ctx, keptTimeout)
	defer cancel()
	line, err := a.subject.Kept(ctx)
	if err != nil {
		return true
	}
	last, err := stats.Decode(line)
	return err == nil && same(&last, s)
}

func same(a, b *stats.Snapshot) bool {
	return a != nil && a.Database == b.Database && a.Revision == b.Revision
}
