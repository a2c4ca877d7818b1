package consume

import (
	"context"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/streamgauge/streamgauge/shared/topology"
)

const (
	// backBy is how far NATS's clock may go back without anything being done:
	// AckWait is that much longer then, once.
	backBy = 2 * time.Second
	// justMade is how young a durable consumer is that another process has made
	// anew for the same reason.
	justMade = 5 * time.Second
)

// serverClock compares the wall clock of the server that leads the durable
// consumer with the monotonic clock of this process. The server goes by its wall
// clock for when a message is to be delivered again: if that is set back by a
// day, or another server leads whose clock is behind, what a process that died
// has held waits for a day. Not safe for concurrent use.
type serverClock struct {
	answered time.Time // when the last answer came
	told     time.Time // and what time it was by the server
}

// back is how far the server's clock went back at least between the last answer
// and this one, zero where it can't be told from none. The question was asked
// at asked, and the answer came at answered.
func (c *serverClock) back(asked, answered, told time.Time) time.Duration {
	first := c.answered.IsZero()
	behind := asked.Sub(c.answered) - told.Sub(c.told)
	c.answered, c.told = answered, told
	if first || told.IsZero() || behind < 0 {
		return 0
	}
	return behind
}

// renew deletes the durable consumer of a server whose clock went back. The intake
// makes it anew, and all that nobody has acknowledged is delivered again.
func renew(ctx context.Context, js jetstream.JetStream, info *jetstream.ConsumerInfo, behind time.Duration, logger *slog.Logger) {
	if age := info.TimeStamp.Sub(info.Created); info.NumAckPending == 0 || age >= 0 && age < justMade {
		return
	}
	log := logger.With("behind", behind.Round(time.Second))
	if err := js.DeleteConsumer(ctx, topology.StreamRows, topology.Durable); err != nil {
		log.Warn("NATS's clock went back: what consumers held that are gone is delivered again only that much later", "error", err)
		return
	}
	log.Warn("NATS's clock went back: made the durable consumer anew, for what consumers held that are gone to be delivered again")
}
