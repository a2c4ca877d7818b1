package announce

import (
	"context"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/streamgauge/streamgauge/shared/stats"
	"github.com/streamgauge/streamgauge/shared/topology"
)

const (
	// groupsEvery is how often changed groups are looked for, and mostGroups how
	// many are published then: a load whose rows are in no order changes hundreds
	// of days with every commit.
	groupsEvery = time.Second
	mostGroups  = 100
	// keptEvery is how many times of nothing to do go by between two looks at
	// what the stream keeps.
	keptEvery = 10
	// lastWithin is what the last look gets once Run is to end.
	lastWithin = 300 * time.Millisecond
)

// kinds are the groups that statistics are kept of, in the order in which they
// are published.
var kinds = []stats.By{stats.BySource, stats.ByDay}

// Groups is where the statistics of groups stand; see store.Store.Changed.
type Groups interface {
	Changed(ctx context.Context, by stats.By, revision, place int64, limit int) (groups []*stats.Group, last int64, err error)
}

// Subjects are those below stats.price.
type Subjects interface {
	PublishOn(subject string, line []byte) error
	// KeptOn returns the line that latecomers get; nil when there is none.
	KeptOn(ctx context.Context, subject string) ([]byte, error)
}

// Breakdown publishes the statistics of sources and days below stats.price, apart
// from the Announcer, which does not wait for it. It goes through all groups in
// rounds: each that has changed since the last round began is published once in
// a round, as it is by then, and at most 100 groups are a second. The first round
// has them all, since nobody knows which of them a process that ended before had
// still to publish. So has the next one when the stream has lost what was
// published last.
type Breakdown struct {
	subjects Subjects
	groups   Groups
	logger   *slog.Logger

	mu     sync.Mutex
	latest *stats.Snapshot

	// Only Run's goroutine uses the following.
	database string
	done     int64  // the revision up to which all has been published
	round    *round // nil while there is nothing to do
	last     string // the subject that was published on last
	idle     int    // how often there was nothing to do
}

// round is how far one has come.
type round struct {
	upTo  int64 // the revision at its beginning
	kind  int   // of kinds
	place int64 // of the group published last
}

// all is the revision that every group has changed after.
const all = -1

// NewBreakdown returns a Breakdown that publishes nothing before Run.
func NewBreakdown(nc *nats.Conn, js jetstream.JetStream, groups Groups, ensure Ensure, logger *slog.Logger) *Breakdown {
	return NewBreakdownOn(&natsSubject{nc: nc, js: js, ensure: ensure, logger: logger}, groups, logger)
}

// NewBreakdownOn is NewBreakdown on any Subjects.
func NewBreakdownOn(on Subjects, groups Groups, logger *slog.Logger) *Breakdown {
	return &Breakdown{subjects: on, groups: groups, logger: logger, done: all}
}

// Observe tells of a snapshot; see Announcer.Observe. It does not block, and is
// safe for concurrent use.
func (b *Breakdown) Observe(s *stats.Snapshot) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.latest = s
}

// Run publishes until ctx is over; then it looks once more.
func (b *Breakdown) Run(ctx context.Context) error {
	tick := time.NewTicker(groupsEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			b.look(context.WithoutCancel(ctx), lastWithin)
			return nil
		case <-tick.C:
			b.look(ctx, lookTimeout)
		}
	}
}

// look publishes what has changed, as much as may be at once.
func (b *Breakdown) look(ctx context.Context, within time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	b.mu.Lock()
	latest := b.latest
	b.mu.Unlock()
	if latest == nil {
		return
	}
	if latest.Database != b.database || latest.Revision < b.done {
		b.database, b.done, b.round, b.last = latest.Database, all, nil, ""
	}
	if b.round == nil {
		if latest.Revision == b.done && b.streamKeeps(ctx) {
			return
		}
		b.round = &round{upTo: latest.Revision, place: math.MinInt64}
	}
	for room := mostGroups; room > 0 && b.round != nil; {
		published, ok := b.publish(ctx, room)
		if !ok {
			return // The next look goes on from here.
		}
		room -= published
	}
}

// publish publishes the next groups of the round, at most limit, and ends what
// has no more.
func (b *Breakdown) publish(ctx context.Context, limit int) (published int, ok bool) {
	r := b.round
	groups, place, err := b.groups.Changed(ctx, kinds[r.kind], b.done, r.place, limit)
	if err != nil {
		return 0, false // The writers meet the same failure, and log it.
	}
	for _, group := range groups {
		line, err := group.Encode()
		if err != nil {
			b.logger.Error("statistics of a group can't be published", "error", err)
			continue
		}
		subject := topology.SubjectGroup(string(group.By), group.Key)
		if err := b.subjects.PublishOn(subject, line); err != nil {
			return 0, false
		}
		b.last = subject
	}
	if len(groups) == limit {
		r.place = place
		return limit, true
	}
	r.kind, r.place = r.kind+1, math.MinInt64
	if r.kind == len(kinds) {
		b.done, b.round = r.upTo, nil
	}
	return len(groups), true
}

// streamKeeps says whether latecomers still get what was published last. It asks
// only now and then, and takes an answer that does not come for yes.
func (b *Breakdown) streamKeeps(ctx context.Context) bool {
	if b.idle++; b.idle < keptEvery || b.last == "" {
		return true
	}
	b.idle = 0
	line, err := b.subjects.KeptOn(ctx, b.last)
	if err != nil || line != nil {
		return true
	}
	b.done = all
	return false
}
