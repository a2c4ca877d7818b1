package announce

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/streamgauge/streamgauge/shared/topology"
)

// Ensure makes sure that the streams stand.
type Ensure func(context.Context) error

// natsSubject is stats.price, what is below it, and the stream that keeps the last
// message of each.
type natsSubject struct {
	nc     *nats.Conn
	js     jetstream.JetStream
	ensure Ensure
	logger *slog.Logger
}

func (n *natsSubject) Publish(line []byte) error { return n.PublishOn(topology.SubjectStats, line) }

func (n *natsSubject) PublishOn(subject string, line []byte) error {
	return n.nc.Publish(subject, line)
}

func (n *natsSubject) Listen(heard chan *nats.Msg) (stop func(), err error) {
	sub, err := n.nc.ChanSubscribe(topology.SubjectStats, heard)
	if err != nil {
		return nil, fmt.Errorf("subscribe to %s: %w", topology.SubjectStats, err)
	}
	return func() {
		// The connection is closed next, and takes the subscription with it.
		_ = sub.Unsubscribe()
	}, nil
}

func (n *natsSubject) Kept(ctx context.Context) ([]byte, error) {
	return n.KeptOn(ctx, topology.SubjectStats)
}

// KeptOn makes a stream that is missing anew.
func (n *natsSubject) KeptOn(ctx context.Context, subject string) ([]byte, error) {
	stream, err := n.js.Stream(ctx, topology.StreamStats)
	if err == nil {
		var last *jetstream.RawStreamMsg
		if last, err = stream.GetLastMsgForSubject(ctx, subject); err == nil {
			return last.Data, nil
		}
	}
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return nil, nil
	case errors.Is(err, jetstream.ErrStreamNotFound):
		if err := n.ensure(ctx); err != nil {
			n.logger.Warn("can't restore the stream of statistics", "error", err)
		}
		return nil, nil
	}
	return nil, err
}
