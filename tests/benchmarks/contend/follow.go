package contend

import (
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/streamgauge/streamgauge/shared/stats"
	"github.com/streamgauge/streamgauge/shared/topology"
	"github.com/streamgauge/streamgauge/tests/benchmarks/stage"
)

// follower is a subscriber of stats.price, as anyone may be.
type follower struct {
	want    int64
	reached chan struct{} // closed when a snapshot counts all rows

	mu   sync.Mutex
	rows int64 // of the newest snapshot
	seen []Moment
	bad  chan error
}

func follow(broker *stage.Broker, want int64) (*follower, error) {
	f := &follower{want: want, reached: make(chan struct{}), bad: make(chan error, 1)}
	if _, err := broker.Conn.Subscribe(topology.SubjectStats, f.hear); err != nil {
		return nil, err
	}
	// The server knows of the subscription when it has answered.
	return f, broker.Conn.Flush()
}

func (f *follower) hear(msg *nats.Msg) {
	now := time.Now()
	s, err := stats.Decode(msg.Data)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		select {
		case f.bad <- fmt.Errorf("on %s: %w", msg.Subject, err):
		default:
		}
		return
	}
	if s.Rows <= f.rows {
		return
	}
	before := f.rows
	f.rows = s.Rows
	f.seen = append(f.seen, Moment{now, float64(s.Rows) / float64(f.want)})
	if before < f.want && f.rows >= f.want {
		close(f.reached)
	}
}

// last is when the newest snapshot came.
func (f *follower) last() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen[len(f.seen)-1].At
}

func (f *follower) moments() []Moment {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen
}
