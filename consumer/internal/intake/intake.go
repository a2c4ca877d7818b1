// Package intake takes messages from the stream's pull consumer into a bounded
// buffer, and keeps what it holds from being delivered again.
package intake

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"golang.org/x/sync/errgroup"

	"github.com/streamgauge/streamgauge/shared/topology"
)

const (
	// maxHeldBytes bounds the messages held, in bytes of memory.
	maxHeldBytes = 16 << 20
	// maxHeldMessages leaves half of the durable consumer's allowance to others.
	maxHeldMessages = topology.MaxAckPending / 2
	// maxPull is the most messages one pull asks for, so that a consumer that
	// joins finds some left.
	maxPull = 256
	// maxPullBytes is the most bytes one pull asks for. Messages of many small
	// headers grow many times as large when they are taken in, and are counted
	// only then.
	maxPullBytes = 2 << 20
	// minPullBytes is the least: room for a message as large as a server takes
	// by default. A larger one is pulled by itself.
	minPullBytes = 1<<20 + 4<<10

	// pullWait is how long a pull stays open when there is nothing to deliver.
	pullWait = 5 * time.Second
	// heartbeat is how often the server shows that it still knows the pull; after
	// silenceMost it has lost it.
	heartbeat   = time.Second
	silenceMost = 2500 * time.Millisecond

	// retryFirst and retryMost bound the pause after a failed pull.
	retryFirst = 100 * time.Millisecond
	retryMost  = 2 * time.Second
)

// Ensure makes sure that the streams and the durable consumer stand.
type Ensure func(context.Context) error

// Intake is safe for concurrent use.
type Intake struct {
	server Server
	ensure Ensure
	logger *slog.Logger
	buffer *buffer
	gate   *gate

	redelivered atomic.Uint64
}

// New returns an Intake that has not begun. ensure is called before the first
// pull and whenever the stream or the durable consumer is found missing.
func New(server Server, ensure Ensure, logger *slog.Logger) *Intake {
	return &Intake{server: server, ensure: ensure, logger: logger, buffer: newBuffer(maxHeldBytes, maxHeldMessages), gate: newGate()}
}

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

// Suspend gives back what nobody has taken, and pulls nothing until Resume:
// other consumers may be able to do what this one can't now.
func (in *Intake) Suspend() {
	in.gate.shut()
	in.buffer.giveBack()
}

// Resume ends what Suspend began.
func (in *Intake) Resume() { in.gate.open() }

// Resubscribe gives back what nobody has taken and asks for messages anew,
// unless it is suspended.
func (in *Intake) Resubscribe() { in.gate.pulse() }

// Held says whether messages are in hand.
func (in *Intake) Held() bool { return in.buffer.holds() }

// InHand is how many messages are in hand, and their bytes of memory.
func (in *Intake) InHand() (messages, bytes int) { return in.buffer.size() }

// Redelivered counts the messages that had been delivered before, to this
// consumer or another.
func (in *Intake) Redelivered() uint64 { return in.redelivered.Load() }

// Fetched is when the last message came, the zero time before the first.
func (in *Intake) Fetched() time.Time { return in.buffer.lastArrival() }

func (in *Intake) pullForever(ctx context.Context) error {
	pause := retryFirst
	for {
		pulling, stop := in.gate.pass(ctx)
		err := in.subscribeAndPull(pulling, func() { pause = retryFirst })
		suspended := pulling.Err() != nil
		stop()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if suspended {
			in.buffer.giveBack()
			continue
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
	puller, err := newPuller(in.server)
	if err != nil {
		return err
	}
	defer puller.close()
	for {
		if err := in.pull(ctx, puller); err != nil {
			return err
		}
		progress()
	}
}

// pull fills the room there is. A message that does not fit into a pull waits
// until the buffer is empty, and then comes alone, whatever its size.
func (in *Intake) pull(ctx context.Context, puller *puller) error {
	messages, bytes, err := in.buffer.room(ctx, minPullBytes)
	if err != nil {
		return err
	}
	take := func(msg *nats.Msg) error {
		m, err := newMessage(msg, in.server, in.buffer)
		if err != nil {
			return err
		}
		if headersDropped(msg) {
			in.restoreHeaders(ctx, m)
		}
		if m.Delivered > 1 {
			in.redelivered.Add(1)
		}
		in.buffer.add(m)
		return nil
	}
	came, tooLarge, err := puller.pull(ctx, min(messages, maxPull), min(bytes, maxPullBytes), take)
	if err != nil || !tooLarge || came > 0 {
		return err
	}
	if err := in.buffer.drained(ctx); err != nil {
		return err
	}
	_, _, err = puller.pull(ctx, 1, 0, take)
	return err
}

// restoreHeaders gives a message that is going to be set aside the headers it
// was published with. Without them it is set aside all the same.
func (in *Intake) restoreHeaders(ctx context.Context, m *Message) {
	headers, err := fetchHeaders(ctx, in.server, m.Sequence)
	if err != nil {
		in.logger.Warn("a message's headers can't be read, nor be had from the stream: it will be set aside without them",
			"stream_sequence", m.Sequence, "error", err)
		return
	}
	m.RawHeader = headers
	m.size = m.Size()
}
