package simulation

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/streamgauge/streamgauge/producer/internal/publish"
	"github.com/streamgauge/streamgauge/shared/topology"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// broker is the stream ROWS. The world's mutex guards it.
type broker struct {
	*world

	down, full bool
	missing    bool // until somebody makes the stream anew
	last       uint64
	stored     map[uint64]*message
	flying     []*future // publishes that nothing has come of yet
}

// message is a batch in the stream, or anything else where it is nobody's.
type message struct {
	batch    wire.Batch
	sequence uint64
	// harmed says that a fault took it from the stream, died that the consumer set
	// it aside.
	harmed, died bool
}

// apiTimeout is how long jetstream waits for an answer where nothing is said.
const apiTimeout = 5 * time.Second

const limit = 1 << 30

var errKilled = errors.New("the process was killed")

func (b *broker) add(batch wire.Batch) *message {
	b.last++
	m := &message{batch: batch, sequence: b.last}
	b.stored[b.last] = m
	b.notef("stream: %d is batch %d of %d", b.last, batch.Number, batch.Batches)
	b.consumers.deliver(m, b.fault())
	return m
}

// harm takes messages from the stream, as a fault does.
func (b *broker) harm(messages ...*message) {
	for _, m := range messages {
		m.harmed = true
		delete(b.stored, m.sequence)
	}
}

func (b *broker) all() []*message {
	list := make([]*message, 0, len(b.stored))
	for _, m := range b.stored {
		list = append(list, m)
	}
	slices.SortFunc(list, func(x, y *message) int { return int(x.sequence) - int(y.sequence) })
	return list
}

// lose takes the stream and all it holds. A consumer makes it anew, unless a
// producer is faster.
func (b *broker) lose() {
	b.harm(b.all()...)
	b.missing, b.last = true, 0
	b.after(b.limited(b.between(100*time.Millisecond, 3*time.Second)), func() { b.missing = false })
}

// disconnect ends what is on its way, for all or for one.
func (b *broker) disconnect(only *process) {
	for _, f := range slices.Clone(b.flying) {
		if only == nil || f.from == only {
			f.resolve(0, nats.ErrDisconnected)
		}
	}
}

// future is jetstream.PubAckFuture.
type future struct {
	from    *process
	batch   wire.Batch
	msg     *nats.Msg
	ok      chan *jetstream.PubAck
	err     chan error
	timeout *time.Timer
}

func (f *future) Ok() <-chan *jetstream.PubAck { return f.ok }
func (f *future) Err() <-chan error            { return f.err }
func (f *future) Msg() *nats.Msg               { return f.msg }

// resolve says what came of a publish; only the first counts.
func (f *future) resolve(sequence uint64, err error) bool {
	b := f.from.broker
	at := slices.Index(b.flying, f)
	if at < 0 {
		return false
	}
	b.flying = slices.Delete(b.flying, at, at+1)
	f.timeout.Stop()
	if err != nil {
		b.notef("%s: publish of %d fails: %v", f.from, f.batch.Number, err)
		f.err <- err
	} else {
		b.notef("%s: PubAck of %d is sequence %d", f.from, f.batch.Number, sequence)
		f.ok <- &jetstream.PubAck{Stream: topology.StreamRows, Sequence: sequence}
	}
	return true
}

// PublishMsgAsync implements publish.Publisher.
func (p *process) PublishMsgAsync(msg *nats.Msg, _ ...jetstream.PublishOpt) (jetstream.PubAckFuture, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead {
		return nil, errKilled
	}
	batch, err := new(wire.Decoder).Decode(msg.Header, msg.Data)
	if err != nil {
		p.brokenf("%s: publishes what is no batch: %v", p, err)
		return nil, err
	}
	p.checkPublished(&batch)
	if !p.connected() {
		return nil, nats.ErrReconnectBufExceeded
	}
	f := &future{from: p, batch: batch, msg: msg, ok: make(chan *jetstream.PubAck, 1), err: make(chan error, 1)}
	p.broker.flying = append(p.broker.flying, f)
	f.timeout = p.after(publish.AckTimeout+p.between(0, time.Millisecond), func() { f.resolve(0, jetstream.ErrAsyncPublishTimeout) })
	fate, copies := p.fault(), 1
	switch fate {
	case lost:
		p.notef("%s: publish of %d is lost", p, batch.Number)
		return f, nil
	case repeated:
		copies = 2
	case none, slow:
	}
	for range copies {
		p.after(p.latency(fate), func() { p.broker.take(f) })
	}
	return f, nil
}

// take is a publish that has arrived.
func (b *broker) take(f *future) {
	answer := func(err error) { b.after(b.latency(none), func() { f.resolve(0, err) }) }
	switch {
	case b.down:
	case b.missing:
		answer(jetstream.ErrNoStreamResponse)
	case b.full:
		answer(&jetstream.APIError{Code: 503, ErrorCode: 10077, Description: "maximum bytes exceeded"})
	default:
		m := b.add(f.batch)
		fate := b.fault()
		if fate == lost {
			b.notef("%s: PubAck of %d is lost", f.from, f.batch.Number)
			return
		}
		b.after(b.latency(fate), func() {
			if f.resolve(m.sequence, nil) {
				f.from.acked[keyOf(&m.batch)] = m
			}
		})
	}
}

// restore is publish.Restore.
func (p *process) restore(ctx context.Context) (int64, error) {
	if err := p.call(ctx); err != nil {
		return 0, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broker.missing {
		p.notef("%s: makes the stream anew", p)
		p.broker.missing = false
	}
	return limit, nil
}

// call is the way to JetStream's API and back.
func (p *process) call(ctx context.Context) error {
	if over(ctx) {
		return context.DeadlineExceeded
	}
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	p.mu.Lock()
	fate := p.fault()
	wait := p.latency(fate)
	connected := p.connected()
	p.mu.Unlock()
	switch {
	case !connected:
		return nats.ErrReconnectBufExceeded
	case fate == lost:
		<-ctx.Done()
		return ctx.Err()
	}
	if err := pause(ctx, wait); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.connected() {
		return nats.ErrDisconnected
	}
	return nil
}

// Bounds implements commit.Stream, as does At.
func (p *process) Bounds(ctx context.Context) (first, last uint64, err error) {
	if err := p.call(ctx); err != nil {
		return 0, 0, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broker.missing {
		return 1, 0, nil
	}
	first = p.broker.last + 1
	for sequence := range p.broker.stored {
		first = min(first, sequence)
	}
	return first, p.broker.last, nil
}

func (p *process) At(ctx context.Context, sequence uint64) (wire.Claim, error) {
	if err := p.call(ctx); err != nil {
		return wire.Claim{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.broker.stored[sequence]
	if m == nil {
		return wire.Claim{}, nil
	}
	return wire.Claim{Source: m.batch.Source, Number: m.batch.Number}, nil
}
