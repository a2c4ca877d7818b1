package simulation

import (
	"context"
	"encoding/json"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/streamgauge/streamgauge/shared/topology"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// consumers is who stores what is in the stream, and the database with it, as
// far as a producer can tell. The world's mutex guards it.
type consumers struct {
	*world

	file         *fixture
	down         bool // there is none
	databaseDown bool
	// pace is what storing a batch takes at most.
	pace time.Duration
	// listing is what finding out which batches are missing takes.
	listing time.Duration
	// muted says that no question reaches them.
	muted bool
	// poison is the record that has its batch set aside, -1 for none, and cured
	// after how many times it is stored all the same, 0 for never.
	poison int64
	cured  int

	plan           *wire.Plan
	batches        int64
	done           map[int64]bool
	rows, rejected int64
	retired        bool
	named          []wire.Load // other content under the name
	dead           []wire.DeadBatch
	deaths         map[int64]int // of each batch
	told           func()        // called with the answer that tells a plan, where somebody wants to know
	asked          func()        // called with each answer about a load, likewise
}

// ackWait is when a delivery that nothing was heard of comes again.
const ackWait = 6 * time.Second

// deliver has a message stored after a while, in whatever order.
func (c *consumers) deliver(m *message, f fate) {
	if f == lost {
		c.again(m)
		return
	}
	c.after(c.latency(f)+c.between(0, c.pace), func() {
		switch {
		case m.harmed:
			if c.oneIn(2) {
				return
			}
			// It was in a consumer's hands before it was gone.
		case c.broker.stored[m.sequence] != m:
			return
		}
		if c.down || c.databaseDown || c.broker.down {
			c.again(m)
			return
		}
		c.store(m)
		if c.fault() == lost { // the ack
			c.again(m)
			return
		}
		c.after(c.latency(none), func() {
			if c.broker.stored[m.sequence] == m {
				delete(c.broker.stored, m.sequence)
			}
		})
	})
}

func (c *consumers) again(m *message) {
	c.after(c.limited(c.between(ackWait, ackWait+time.Second)), func() {
		if c.broker.stored[m.sequence] == m {
			c.deliver(m, c.fault())
		}
	})
}

// store gives a message its effect, as the consumer's transaction does.
func (c *consumers) store(m *message) {
	b := &m.batch
	switch {
	case b.Source != c.file.source:
		return
	case c.retired:
		c.notef("consumer: %d is retired", m.sequence)
		return
	case c.plan != nil && (*c.plan != b.Plan || c.batches != b.Batches):
		c.notef("consumer: %d is superseded", m.sequence)
		return
	case c.done[b.Number]:
		c.notef("consumer: %d was stored before", m.sequence)
		return
	}
	first := (b.Number - 1) * int64(b.Plan.BatchSize)
	if c.poison >= first && c.poison < first+int64(b.Records) && (c.cured == 0 || len(c.dead) < c.cured) {
		c.notef("consumer: %d is set aside", m.sequence)
		m.died = true
		c.deaths[b.Number]++
		c.dead = append([]wire.DeadBatch{{Number: b.Number, Sequence: m.sequence, Reason: "timestamp out of range"}}, c.dead...)
		return
	}
	c.notef("consumer: %d is stored, batch %d of %d", m.sequence, b.Number, b.Batches)
	c.plan, c.batches, c.done[b.Number] = &b.Plan, b.Batches, true
	bad := c.file.rejected(first, int64(b.Records))
	c.rejected += bad
	c.rows += int64(b.Records) - bad
}

// retire takes the load back.
func (c *consumers) retire() {
	if c.plan != nil {
		c.retired = true
		clear(c.done)
		c.rows, c.rejected = 0, 0
	}
}

func (c *consumers) complete() bool { return c.plan != nil && int64(len(c.done)) == c.batches }

// RequestMsgWithContext implements load.Requester.
func (p *process) RequestMsgWithContext(ctx context.Context, msg *nats.Msg) (*nats.Msg, error) {
	if err := p.travel(ctx); err != nil {
		return nil, err
	}
	p.mu.Lock()
	reply, known, err := p.consumers.reply(msg)
	work := p.consumers.work(msg)
	p.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if err := pause(ctx, work); err != nil {
		return nil, err
	}
	if err := p.travel(ctx); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if known != nil {
		p.knows = known
	}
	return reply, nil
}

// travel is one way to the consumers' service, or back.
func (p *process) travel(ctx context.Context) error {
	if over(ctx) {
		return context.DeadlineExceeded
	}
	p.mu.Lock()
	fate := p.fault()
	wait := p.latency(fate)
	connected, muted := p.connected(), p.consumers.muted
	p.mu.Unlock()
	switch {
	case !connected:
		return nats.ErrReconnectBufExceeded
	case fate == lost, muted:
		<-ctx.Done()
		return ctx.Err()
	}
	return pause(ctx, wait)
}

// reply answers a question; known is the plan that it tells.
func (c *consumers) reply(msg *nats.Msg) (reply *nats.Msg, known *wire.Plan, err error) {
	switch {
	case c.down || c.broker.down:
		return nil, nil, nats.ErrNoResponders
	case c.databaseDown:
		return &nats.Msg{Header: nats.Header{micro.ErrorCodeHeader: {"503"}, micro.ErrorHeader: {"no database"}}}, nil, nil
	case msg.Subject == topology.SubjectSnapshot:
		return &nats.Msg{Data: []byte(`{"metric":"price","database":"model","revision":1,"rows":0,"count":0,"updated_at":"2012-01-01T00:00:00Z"}`)}, nil, nil
	}
	var question wire.LoadRequest
	if err := json.Unmarshal(msg.Data, &question); err != nil {
		c.brokenf("a question that can't be read: %v", err)
	}
	answer := wire.LoadReply{Named: c.named, Dead: c.dead}
	if c.plan != nil {
		answer.Load = c.load(question.Missing)
		known = c.plan
		if c.told != nil {
			c.told()
		}
	}
	data, err := json.Marshal(answer)
	if c.asked != nil {
		c.asked()
	}
	return &nats.Msg{Data: data}, known, err
}

// work is how long an answer takes them.
func (c *consumers) work(msg *nats.Msg) time.Duration {
	var question wire.LoadRequest
	if json.Unmarshal(msg.Data, &question) != nil || question.Missing == 0 {
		return 0
	}
	return c.listing
}

func (c *consumers) load(missing int) *wire.Load {
	l := &wire.Load{
		Source: c.file.source, Name: c.file.name, Size: c.file.size, Plan: *c.plan, Batches: c.batches,
		Done: int64(len(c.done)), Rows: c.rows, Rejected: c.rejected, Retired: c.retired,
	}
	for number := int64(1); number <= c.batches && missing > 0; number++ {
		if c.done[number] {
			continue
		}
		if n := len(l.Missing); n > 0 && l.Missing[n-1].Last == number-1 {
			l.Missing[n-1].Last = number
		} else {
			l.Missing = append(l.Missing, wire.Range{First: number, Last: number})
		}
	}
	return l
}
