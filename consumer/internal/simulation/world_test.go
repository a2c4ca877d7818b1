package simulation

import (
	"bytes"
	"fmt"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/shared/stats"
)

// world is all that the consumers of one schedule meet.
type world struct {
	chance
	trace

	mu               sync.Mutex
	broker           *broker
	database         *database
	processes        []*process // the present life of each consumer
	batchesPerCommit int
	// trouble is how many of a thousand decisions go wrong, until calm.
	trouble    int
	calm       time.Time
	violations []string
}

func newWorld(seed uint64) *world {
	w := &world{chance: chance(seed), trace: trace{began: time.Now()}}
	w.broker = &broker{world: w, stored: make(map[uint64]*stored)}
	w.database = &database{
		world: w, locks: make(map[lock]*transaction), plans: make(map[string]string), ledger: make(map[key]bool),
		prices: make(map[key]int), dead: make(map[deadKey]bool), began: make(map[uint64]uint64),
		stats: stats.Snapshot{Metric: "price", Database: "model"},
	}
	return w
}

// brokenf notes a promise that was not kept.
func (w *world) brokenf(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.notef("VIOLATION: %s", text)
	w.violations = append(w.violations, text)
}

// fate is what becomes of something on its way.
type fate int

const (
	none fate = iota
	lost
	repeated
	slow
)

// fault draws whether something goes wrong.
func (w *world) fault(about ...uint64) fate {
	h := w.draw(append(about, 99)...)
	if int(h%1000) >= w.trouble || !time.Now().Before(w.calm) {
		return none
	}
	return lost + fate(h/1000%3)
}

// latency draws how long something takes.
func (w *world) latency(f fate, about ...uint64) time.Duration {
	about = append(about, 98)
	if f == slow {
		return w.limited(w.between(10*time.Millisecond, 8*time.Second, about...))
	}
	return w.between(50*time.Microsecond, 3*time.Millisecond, about...)
}

// limited keeps what goes wrong from lasting beyond calm.
func (w *world) limited(d time.Duration) time.Duration {
	return max(time.Microsecond+d%time.Millisecond, min(d, time.Until(w.calm)+d%time.Millisecond))
}

// after has f called under the mutex when d has passed.
func (w *world) after(d time.Duration, f func()) {
	time.AfterFunc(d, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		f()
	})
}

// checkBatches holds what reaches the database to what was published.
func (w *world) checkBatches(batches []*store.Batch) {
	for _, b := range batches {
		want := fixtures.byKey[keyOf(b)]
		if want == nil {
			w.brokenf("batch %d of %q was never published", b.Number, b.Source.Name)
		} else if !bytes.Equal(want.batch.Rows, b.Rows) || want.batch.Tally.Rows != b.Tally.Rows || want.batch.Tally.Count != b.Tally.Count || len(want.batch.Rejects) != len(b.Rejects) {
			w.brokenf("batch %s has other rows than were published", want.name)
		}
	}
}

// checkAcked is called when a consumer acknowledges a message.
func (w *world) checkAcked(era int, sequence uint64) {
	if era != w.broker.era {
		return // of a stream that is lost, with what was known of it
	}
	m := w.broker.stored[sequence]
	if m == nil {
		return // acknowledged before, or by another
	}
	k := m.fixture.key
	plan := w.database.plans[k.source]
	switch {
	case m.fixture.kind == good && (w.database.ledger[k] || plan != "" && plan != k.plan):
	case m.fixture.kind != good && w.database.dead[deadKey{sequence, m.at.UnixNano()}]:
	default:
		w.brokenf("%s, sequence %d, was acknowledged and is not committed", m.fixture.name, sequence)
	}
}

// checkDead is called with each message that is set aside.
func (d *database) checkDead(one *store.Dead) {
	if f := fixtures.byData[&one.Payload[0]]; f == nil || f.kind == good {
		d.brokenf("a good message was set aside: %s", one.Reason)
	}
}

// outstanding are the good batches of the sources that are not in the ledger,
// under the plan that has won, or the first.
func (w *world) outstanding(sources int) []*fixture {
	var list []*fixture
	for s := range sources {
		batches := fixtures.batches[s][0]
		if w.database.plans[fixtures.sources[s]] == fixtures.batches[s][1][0].key.plan {
			batches = fixtures.batches[s][1]
		}
		for _, f := range batches {
			if !w.database.ledger[f.key] {
				list = append(list, f)
			}
		}
	}
	return list
}
