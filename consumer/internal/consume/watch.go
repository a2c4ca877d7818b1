package consume

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/streamgauge/streamgauge/consumer/internal/intake"
	"github.com/streamgauge/streamgauge/consumer/internal/pipeline"
	"github.com/streamgauge/streamgauge/consumer/internal/watchdog"
	"github.com/streamgauge/streamgauge/shared/topology"
)

var errDisconnected = errors.New("the connection is lost")

// broker is NATS as the watchdog looks at it.
type broker struct {
	nc     *nats.Conn
	js     jetstream.JetStream
	clock  serverClock
	logger *slog.Logger
}

func (b *broker) Connected() error {
	if b.nc.IsConnected() {
		return nil
	}
	if err := b.nc.LastError(); err != nil {
		return err
	}
	return errDisconnected
}

// Deliverable is false where all that may be in hand is, and while somebody has
// paused the durable consumer. It is not safe for concurrent use.
func (b *broker) Deliverable(ctx context.Context) (bool, error) {
	asked := time.Now()
	durable, err := b.js.Consumer(ctx, topology.StreamRows, topology.Durable)
	if err != nil {
		return false, err
	}
	info := durable.CachedInfo()
	if behind := b.clock.back(asked, time.Now(), info.TimeStamp); behind >= backBy {
		renew(ctx, b.js, info, behind, b.logger)
	}
	full := info.Config.MaxAckPending > 0 && info.NumAckPending >= info.Config.MaxAckPending
	return info.NumPending > 0 && !full && !info.Paused, nil
}

func (b *broker) Reconnect() error { return b.nc.ForceReconnect() }

// worker is intake and pipeline as the watchdog looks at them.
type worker struct {
	*intake.Intake

	activity *pipeline.Activity
}

func (w worker) Work() watchdog.Work {
	progress := w.Fetched()
	if committed := w.activity.Committed(); committed.After(progress) {
		progress = committed
	}
	failing, since := w.activity.Failing()
	return watchdog.Work{
		Progress: progress, Held: w.Held(), InFlight: w.activity.InFlight(), Failing: failing, FailingSince: since,
	}
}
