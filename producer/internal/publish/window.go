// Package publish brings messages into the stream ROWS: many at a time, each
// acknowledged by the stream or published again, and few enough that memory
// stays bounded.
package publish

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/streamgauge/streamgauge/producer/internal/bytesize"
	"github.com/streamgauge/streamgauge/shared/topology"
)

// The window's bounds. 256 messages keep a server with 1 ms of latency busy at
// a batch size of 500; the bytes keep the process under 64 MB with batches of
// any size, the buffers waiting to be used again included.
const (
	maxMessages = 256
	maxBytes    = 12 << 20
	maxFree     = 2 << 20
)

// AckTimeout is how long a publish may go unacknowledged before it is done
// again. A server that is gone is noticed earlier, by the connection.
const AckTimeout = 10 * time.Second

// Publisher publishes one message without waiting: jetstream.JetStream.
type Publisher interface {
	PublishMsgAsync(msg *nats.Msg, opts ...jetstream.PublishOpt) (jetstream.PubAckFuture, error)
}

// Restore creates the streams that are missing and returns the size of ROWS in
// bytes. An error for which errors.As finds a *topology.MismatchError is final.
type Restore func(context.Context) (maxBytes int64, err error)

// Acked is told each acknowledged message's number and its sequence in the
// stream, in the order in which the messages were sent. The window returns its
// errors as they are.
type Acked func(number int64, sequence uint64) error

// Jitter returns a time from 0 up to most, most excluded.
type Jitter func(most time.Duration) time.Duration

// Window is messages on their way. It is not safe for concurrent use.
type Window struct {
	// Jitter draws a part of a pause; NewWindow sets one that nobody foresees.
	Jitter Jitter

	js      Publisher
	restore Restore
	denied  *Denial
	log     *slog.Logger
	options []jetstream.PublishOpt
	limit   int64 // of ROWS in bytes, for what is said

	acked   Acked
	trouble *trouble   // of the oldest message; nil while there is none
	sent    []*message // the oldest first
	bytes   int        // capacity of their bodies
	free    [][]byte   // bodies to be used again
	freed   int        // their capacity
	through int64
}

type message struct {
	number int64
	msg    *nats.Msg
	future jetstream.PubAckFuture // nil when publishing failed at once, with err
	err    error
}

// NewWindow returns an empty Window. limit is the size of ROWS in bytes. When
// denied comes, publishing ends with its error.
func NewWindow(js Publisher, restore Restore, limit int64, denied *Denial, log *slog.Logger) *Window {
	return &Window{
		Jitter: rand.N[time.Duration], js: js, restore: restore, limit: limit, denied: denied, log: log,
		options: []jetstream.PublishOpt{
			jetstream.WithExpectStream(topology.StreamRows),
			// Retrying is the window's own work: it never gives up.
			jetstream.WithRetryAttempts(0),
		},
	}
}

// Begin says who is told of the messages from here on. The window must be empty.
func (w *Window) Begin(acked Acked) {
	w.acked, w.through, w.trouble = acked, 0, nil
}

// Through is the number of the last message before which, and including which,
// all messages since Begin have been acknowledged; zero when there is none.
func (w *Window) Through() int64 { return w.through }

// Buffer returns an empty buffer for the body of the next message.
func (w *Window) Buffer() []byte {
	if last := len(w.free) - 1; last >= 0 {
		buf := w.free[last]
		w.free = w.free[:last]
		w.freed -= cap(buf)
		return buf[:0]
	}
	return nil
}

// Send puts one message on its way. It blocks while the window is full, through
// whatever state of the broker that passes. Header and body belong to the
// window from here on.
func (w *Window) Send(ctx context.Context, number int64, header nats.Header, body []byte) error {
	for len(w.sent) > 0 && (len(w.sent) >= maxMessages || w.bytes+cap(body) > maxBytes) {
		if err := w.settle(ctx, ctx); err != nil {
			return err
		}
	}
	m := &message{number: number, msg: &nats.Msg{Subject: topology.SubjectRows, Header: header, Data: body}}
	w.sent = append(w.sent, m)
	w.bytes += cap(body)
	w.publish(m)
	return ctx.Err()
}

// Rest lets time pass until then, and takes in acks meanwhile.
func (w *Window) Rest(ctx context.Context, then time.Time) error {
	if !time.Now().Before(then) {
		return nil
	}
	resting, cancel := context.WithDeadline(ctx, then)
	defer cancel()
	for len(w.sent) > 0 && resting.Err() == nil {
		if err := w.settle(ctx, resting); err != nil && !errors.Is(err, resting.Err()) {
			return err
		}
	}
	<-resting.Done()
	return ctx.Err()
}

// Flush returns once every message has been acknowledged.
func (w *Window) Flush(ctx context.Context) error {
	for len(w.sent) > 0 {
		if err := w.settle(ctx, ctx); err != nil {
			return err
		}
	}
	return nil
}

// Abandon waits for the acks of what was published, for as long as ctx lasts,
// and publishes nothing again. The window is empty afterwards.
func (w *Window) Abandon(ctx context.Context) {
	unbroken := true
	for len(w.sent) > 0 {
		sequence, err := w.await(ctx, w.sent[0])
		if unbroken = unbroken && err == nil; unbroken {
			unbroken = w.acked(w.sent[0].number, sequence) == nil
		}
		w.pop(unbroken)
	}
}

func (w *Window) publish(m *message) {
	m.future, m.err = w.js.PublishMsgAsync(m.msg, w.options...)
}

// settle returns once the oldest message has been acknowledged, and does what
// it takes. The end of resting, which is ctx or of it, cuts waiting short, but
// not what would have to begin anew.
func (w *Window) settle(ctx, resting context.Context) error {
	oldest := w.sent[0]
	if w.trouble == nil {
		w.trouble = newTrouble(w.log)
	}
	for {
		sequence, err := w.await(resting, oldest)
		if err == nil {
			if err := w.acked(oldest.number, sequence); err != nil {
				w.pop(false) // its ack comes once only
				return err
			}
			break
		}
		if resting.Err() != nil {
			return resting.Err()
		}
		if !w.trouble.pausing() {
			if err := w.recover(ctx, w.trouble, err); err != nil {
				return err
			}
		}
		if err := w.trouble.pause(resting, w.denied, w.Jitter); err != nil {
			return err
		}
		w.publish(oldest)
	}
	w.pop(true)
	met := w.trouble.met()
	w.trouble = nil
	if met {
		w.publishFailed()
	}
	return nil
}

// recover does what publishing again needs beside a pause.
func (w *Window) recover(ctx context.Context, trouble *trouble, cause error) error {
	what := classify(cause)
	if what == fatal {
		return explain(cause)
	}
	if what == missing {
		limit, err := w.restore(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if isMismatch(err) {
			return err
		}
		if err == nil {
			w.limit = limit
		} else {
			cause = err
		}
	}
	switch {
	case what == full:
		trouble.say(fmt.Sprintf("the stream %s is full (%s): waiting for the consumer to make room", topology.StreamRows, bytesize.Text(w.limit)), nil)
	case errors.Is(cause, nats.ErrReconnectBufExceeded), errors.Is(cause, nats.ErrDisconnected):
		trouble.say("waiting for the connection to NATS", nil)
	default:
		trouble.say("publishing fails, trying again", cause)
	}
	return nil
}

// publishFailed publishes again all that is known to have failed. It follows
// upon a success, so that a broker in trouble is probed with one message only.
func (w *Window) publishFailed() {
	for _, m := range w.sent {
		if m.future != nil {
			select {
			case m.err = <-m.future.Err():
			default:
				continue
			}
		}
		if classify(m.err) != fatal {
			w.publish(m)
		} else {
			m.future = nil
		}
	}
}

// await returns the sequence the stream gave to m, or why there is none.
func (w *Window) await(ctx context.Context, m *message) (uint64, error) {
	if m.future == nil {
		return 0, m.err
	}
	select {
	case ack := <-m.future.Ok():
		return ack.Sequence, nil
	default:
	}
	select {
	case ack := <-m.future.Ok():
		return ack.Sequence, nil
	case err := <-m.future.Err():
		m.future, m.err = nil, err
		return 0, err
	case <-w.denied.Done():
		return 0, w.denied.Err()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// pop takes out the oldest message. Its body is used again only when nothing
// can be sending it any more.
func (w *Window) pop(acked bool) {
	m := w.sent[0]
	w.sent[0] = nil
	w.sent = w.sent[1:]
	body := m.msg.Data
	w.bytes -= cap(body)
	if !acked {
		return
	}
	w.through = m.number
	if w.freed+cap(body) <= maxFree {
		w.free = append(w.free, body)
		w.freed += cap(body)
	}
}
