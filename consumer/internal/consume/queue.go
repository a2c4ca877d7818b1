package consume

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/streamgauge/streamgauge/consumer/internal/page"
	"github.com/streamgauge/streamgauge/shared/topology"
)

// queue is the stream of batches as the page knows it. What is in a work queue
// has not been acknowledged, and so not committed as far as anyone was told.
type queue struct{ js jetstream.JetStream }

func (q queue) Backlog(ctx context.Context) (page.Backlog, error) {
	stream, err := q.js.Stream(ctx, topology.StreamRows)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return page.Backlog{}, nil
	}
	if err != nil {
		return page.Backlog{}, err
	}
	info := stream.CachedInfo()
	backlog := page.Backlog{Batches: info.State.Msgs, Bytes: info.State.Bytes}
	if info.State.Msgs > 0 {
		// Both times are the server's: clocks that differ make no lag.
		backlog.Oldest = max(0, info.TimeStamp.Sub(info.State.FirstTime))
	}
	return backlog, nil
}
