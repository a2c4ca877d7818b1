package consume

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/streamgauge/streamgauge/consumer/internal/metrics"
	"github.com/streamgauge/streamgauge/consumer/internal/page"
	"github.com/streamgauge/streamgauge/shared/topology"
)

// fresh is for how long the stream is not asked again, whatever it answered.
const fresh = 900 * time.Millisecond

// queue is the stream of batches as page and metrics know it. What is in a work
// queue has not been acknowledged, and so not committed as far as anyone was
// told. It is safe for concurrent use: who asks while another does waits for
// the same answer.
type queue struct {
	js jetstream.JetStream

	mu   sync.Mutex
	at   time.Time
	info *jetstream.StreamInfo // nil where there is no stream
	err  error
}

func (q *queue) look(ctx context.Context) (*jetstream.StreamInfo, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if time.Since(q.at) < fresh {
		return q.info, q.err
	}
	q.info, q.err = nil, nil
	stream, err := q.js.Stream(ctx, topology.StreamRows)
	switch {
	case err == nil:
		q.info = stream.CachedInfo()
	case !errors.Is(err, jetstream.ErrStreamNotFound):
		q.err = err
	}
	q.at = time.Now()
	return q.info, q.err
}

// oldest is for how long the first message has been there. Both times are the
// server's: clocks that differ make no lag.
func oldest(info *jetstream.StreamInfo) time.Duration {
	if info.State.Msgs == 0 {
		return 0
	}
	return max(0, info.TimeStamp.Sub(info.State.FirstTime))
}

// shownQueue is the queue as the page knows it.
type shownQueue struct{ *queue }

func (q shownQueue) Backlog(ctx context.Context) (page.Backlog, error) {
	info, err := q.look(ctx)
	if info == nil {
		return page.Backlog{}, err
	}
	return page.Backlog{Batches: info.State.Msgs, Bytes: info.State.Bytes, Oldest: oldest(info)}, nil
}

// measuredQueue is the queue as the metrics know it.
type measuredQueue struct{ *queue }

func (q measuredQueue) Backlog(ctx context.Context) (metrics.Backlog, error) {
	info, err := q.look(ctx)
	if info == nil {
		return metrics.Backlog{}, err
	}
	return metrics.Backlog{
		Messages: info.State.Msgs, Bytes: info.State.Bytes, Limit: uint64(max(0, info.Config.MaxBytes)), Oldest: oldest(info),
	}, nil
}
