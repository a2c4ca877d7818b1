// Package intake takes messages from the stream's pull consumer into a bounded
// buffer, and keeps what it holds from being delivered again.
package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"golang.org/x/sync/errgroup"

	"github.com/streamgauge/streamgauge/shared/topology"
)

const (
	// maxHeldBytes bounds the messages held and asked for, in bytes of data.
	maxHeldBytes = 16 << 20
	// maxHeldMessages leaves half of the durable consumer's allowance to others.
	maxHeldMessages = topology.MaxAckPending / 2
	// maxPull is the most messages one pull asks for, so that a consumer that
	// joins finds some left.
	maxPull = 256

	// pullWait is how long a pull stays open when there is nothing to deliver.
	pullWait = 5 * time.Second
	// heartbeat is how often the server shows that it still knows the pull; two
	// missed mean that it has lost it.
	heartbeat = time.Second

	// retryFirst and retryMost bound the pause after a failed pull.
	retryFirst = 100 * time.Millisecond
	retryMost  = 2 * time.Second
)

// Ensure makes sure that the streams and the durable consumer stand.
type Ensure func(context.Context) error

// Intake is safe for concurrent use.
type Intake struct {
	nc     *nats.Conn
	ensure Ensure
	logger *slog.Logger
	buffer *buffer
}

// New returns an Intake that has not begun. ensure is called before the first
// pull and whenever the stream or the durable consumer is found missing.
func New(nc *nats.Conn, ensure Ensure, logger *slog.Logger) *Intake {
	held := maxHeldBytes
	// A pull limited to fewer bytes than a message has would never deliver it.
	if largest := largestMessage(nc); held < 2*largest {
		held = 2 * largest
	}
	return &Intake{nc: nc, ensure: ensure, logger: logger, buffer: newBuffer(held, maxHeldMessages)}
}

// largestMessage is the most bytes a pull may count for one message: payload,
// headers and subject within max_payload, and the reply subject.
func largestMessage(nc *nats.Conn) int { return int(nc.MaxPayload()) + 4<<10 }

// Run pulls until ctx is over, whatever fails in between; then what was not
// taken goes back to the server at once.
func (in *Intake) Run(ctx context.Context) error {
	group, running := errgroup.WithContext(ctx)
	group.Go(func() error { return in.pullForever(running) })
	group.Go(func() error { return in.buffer.keepInProgress(running) })
	err := group.Wait()
	in.buffer.close()
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// Take waits for a message. When Run has ended it returns nil; it fails only
// with ctx's error.
func (in *Intake) Take(ctx context.Context) (*Message, error) { return in.buffer.take(ctx) }

// TryTake returns a message if one is at hand, else nil.
func (in *Intake) TryTake() *Message { return in.buffer.tryTake() }

func (in *Intake) pullForever(ctx context.Context) error {
	pause := retryFirst
	for {
		err := in.subscribeAndPull(ctx, func() { pause = retryFirst })
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if _, ok := errors.AsType[*topology.MismatchError](err); ok {
			return err
		}
		in.logger.Warn("can't take messages in, trying again", "error", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		pause = min(2*pause, retryMost)
	}
}

// subscribeAndPull returns only with an error, after which the subscription is
// made anew. progress is called when a pull was answered.
func (in *Intake) subscribeAndPull(ctx context.Context, progress func()) error {
	if err := in.ensure(ctx); err != nil {
		return err
	}
	// The older API's pull, because jetstream's Fetch drops what is on its way
	// when a pull ends, and that comes again only after AckWait (docs/adr/0004).
	js, err := in.nc.JetStream()
	if err != nil {
		return err
	}
	sub, err := js.PullSubscribe(topology.SubjectsRows, "", nats.Bind(topology.StreamRows, topology.Durable), nats.Context(ctx))
	if err != nil {
		return fmt.Errorf("subscribe to %s: %w", topology.Durable, err)
	}
	defer func() {
		// On a broken connection there is nothing to unsubscribe from.
		_ = sub.Unsubscribe()
	}()
	for ctx.Err() == nil {
		if err := in.pull(ctx, sub); err != nil {
			return err
		}
		progress()
	}
	return ctx.Err()
}

func (in *Intake) pull(ctx context.Context, sub *nats.Subscription) error {
	messages, bytes, err := in.buffer.room(ctx, largestMessage(in.nc))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, pullWait)
	defer cancel()
	batch, err := sub.FetchBatch(min(messages, maxPull),
		nats.PullMaxBytes(bytes), nats.Context(ctx), nats.PullHeartbeat(heartbeat))
	if err != nil {
		return pullError(err)
	}
	for msg := range batch.Messages() {
		m, err := newMessage(msg, in.buffer)
		if err != nil {
			return err
		}
		in.buffer.add(m)
	}
	return pullError(batch.Error())
}

// The server ends a pull with these words (consumer.go of nats-server) when the
// next message does not fit into the bytes that are left of it; nats.go passes
// them on as they are.
const (
	endedByBytes    = "Message Size Exceeds MaxBytes"
	endedByMessages = "Batch Completed"
)

// pullError lets pass what is no failure: a pull that ended with fewer messages
// than asked for.
func pullError(err error) error {
	switch {
	case err == nil, errors.Is(err, nats.ErrTimeout), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return nil
	case errors.Is(err, nats.ErrNoHeartbeat):
		return fmt.Errorf("the server has lost the pull request: %w", err)
	case strings.Contains(err.Error(), endedByBytes), strings.Contains(err.Error(), endedByMessages):
		return nil
	}
	return fmt.Errorf("pull: %w", err)
}
