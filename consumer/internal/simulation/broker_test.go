package simulation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/streamgauge/streamgauge/shared/topology"
)

// broker is the stream ROWS with its durable consumer, and STATS. The world's
// mutex guards it.
type broker struct {
	*world
	// era counts the streams: each one that was lost is followed by another.
	era     int
	missing bool // until somebody makes it anew
	down    bool
	last    uint64
	stored  map[uint64]*stored
	order   []uint64 // the sequences in stored, ascending, and some that are gone
	pulls   []*pull
	kept    []byte
	heard   []int64 // revisions, as subscribers heard them
}

type stored struct {
	fixture    *fixture
	sequence   uint64
	at         time.Time
	deliveries uint64
	pending    bool
	deadline   time.Time
}

type pull struct {
	to    *process
	inbox string
	left  int
	beats uint64
	over  bool
}

var errDown = errors.New("nats: no servers available")

// add stores a message, if there is a stream to store it in.
func (b *broker) add(f *fixture) {
	if b.down || b.missing {
		return
	}
	b.last++
	b.stored[b.last] = &stored{fixture: f, sequence: b.last, at: time.Now()}
	b.order = append(b.order, b.last)
	b.notef("stream: %d is %s", b.last, f.name)
	b.dispatch()
}

// holds says whether a message of f is in the stream.
func (b *broker) holds(f *fixture) bool {
	for _, m := range b.stored {
		if m.fixture == f {
			return true
		}
	}
	return false
}

// lose takes the stream and all it holds.
func (b *broker) lose() {
	b.notef("broker: the stream is lost")
	b.era++
	b.missing, b.last = true, 0
	b.stored, b.order = make(map[uint64]*stored), nil
	for _, p := range b.pulls {
		b.status(p, "409", "Consumer Deleted")
	}
	b.pulls = nil
	if b.below(2, aboutStatus, uint64(b.era)) == 0 {
		b.kept = nil
	}
}

func (b *broker) dispatch() {
	waiting := b.order[:0]
	for _, sequence := range b.order {
		m := b.stored[sequence]
		if m == nil {
			continue
		}
		waiting = append(waiting, sequence)
		if m.pending || b.down {
			continue
		}
		if p := b.nextPull(); p != nil {
			b.deliver(m, p)
		}
	}
	b.order = waiting
}

func (b *broker) nextPull() *pull {
	for len(b.pulls) > 0 {
		p := b.pulls[0]
		if !p.over && p.left > 0 && p.to.reachable() {
			return p
		}
		b.pulls = b.pulls[1:]
	}
	return nil
}

func (b *broker) deliver(m *stored, p *pull) {
	m.deliveries++
	m.pending = true
	p.left--
	if p.left == 0 {
		p.over = true
	}
	b.expect(m, time.Now().Add(topology.AckWait))
	reply := fmt.Sprintf("$JS.ACK.ROWS.price-writer.%d.%d.%d.%d.0", m.deliveries, m.sequence, b.era+1, m.at.UnixNano())
	about := []uint64{aboutDelivery, uint64(b.era), m.sequence, m.deliveries}
	copies, fate := 1, b.fault(about...)
	switch fate {
	case lost:
		b.notef("%s: delivery %d of %d is lost", p.to, m.deliveries, m.sequence)
		return
	case repeated:
		copies = 2
	case none, slow:
	}
	for i := range copies {
		b.after(b.latency(fate, append(about, uint64(i))...), func() {
			msg := &nats.Msg{Subject: topology.SubjectRows, Reply: reply, Header: m.fixture.header, Data: m.fixture.data, Sub: &nats.Subscription{}}
			b.notef("%s: delivery %d of %d", p.to, m.deliveries, m.sequence)
			p.to.arrive(p.inbox, msg)
		})
	}
}

// expect has m delivered again unless it is answered before the deadline.
func (b *broker) expect(m *stored, deadline time.Time) {
	m.deadline = deadline
	era, delivery := b.era, m.deliveries
	b.after(time.Until(deadline), func() {
		if b.era == era && b.stored[m.sequence] == m && m.pending && m.deliveries == delivery && !time.Now().Before(m.deadline) {
			m.pending = false
			b.dispatch()
		}
	})
}

// answered takes what a consumer says of a delivery, as nats-server does: it
// goes by the sequence alone, so that one from a stream that is lost may count
// for a message of the next.
func (b *broker) answered(sequence uint64, what string) {
	m := b.stored[sequence]
	if b.down || b.missing || m == nil {
		return
	}
	b.notef("stream: %d %s", sequence, what)
	switch what {
	case "+ACK":
		if m.pending {
			delete(b.stored, sequence)
		}
	case "-NAK":
		if m.pending {
			m.pending = false
			b.dispatch()
		}
	case "+WPI":
		if m.pending {
			b.expect(m, time.Now().Add(topology.AckWait))
		}
	}
}

// ask is a pull that has arrived.
func (b *broker) ask(from *process, inbox string, body []byte) {
	p := &pull{to: from, inbox: inbox}
	if b.down || !from.reachable() {
		return
	}
	if b.missing {
		b.status(p, "503", "")
		return
	}
	var request struct {
		Batch   int           `json:"batch"`
		Expires time.Duration `json:"expires"`
	}
	if err := json.Unmarshal(body, &request); err != nil {
		panic(err)
	}
	p.left = request.Batch
	b.pulls = append(b.pulls, p)
	b.notef("%s: pulls %d at %s", from, p.left, inbox)
	// Not at the instant of a heartbeat.
	b.after(request.Expires+100*time.Microsecond, func() {
		if !p.over && b.standing(p) {
			b.status(p, "408", "Request Timeout")
			p.over = true
		}
	})
	b.beat(p)
	b.dispatch()
}

func (b *broker) standing(p *pull) bool {
	return slices.Contains(b.pulls, p)
}

func (b *broker) beat(p *pull) {
	b.after(time.Second, func() {
		if !p.over && b.standing(p) && p.to.reachable() {
			b.status(p, "100", "Idle Heartbeat")
			b.beat(p)
		}
	})
}

func (b *broker) status(p *pull, code, description string) {
	p.beats++
	about := []uint64{aboutStatus, number(p.inbox), p.beats}
	fate := b.fault(about...)
	if fate == lost {
		return
	}
	header := nats.Header{"Status": {code}, "Description": {description}}
	b.after(b.latency(fate, about...), func() { p.to.arrive(p.inbox, &nats.Msg{Subject: p.inbox, Header: header}) })
}

// number is what tells one inbox from the others.
func number(inbox string) uint64 {
	var n uint64
	for _, c := range inbox {
		n = n*31 + uint64(c)
	}
	return n
}

// parseReply reads what deliver wrote.
func parseReply(subject string) (era int, sequence, delivery uint64) {
	parts := strings.Split(subject, ".")
	delivery, _ = strconv.ParseUint(parts[4], 10, 64)
	sequence, _ = strconv.ParseUint(parts[5], 10, 64)
	era, _ = strconv.Atoi(parts[6])
	return era - 1, sequence, delivery
}

// NewInbox implements intake.Server, as do the following.
func (p *process) NewInbox() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inboxes++
	return fmt.Sprintf("_INBOX.%d-%d-%d", p.consumer, p.life, p.inboxes)
}

func (p *process) Listen(subject string, arrived chan *nats.Msg) (func() error, error) {
	prefix := strings.TrimSuffix(subject, "*")
	p.mu.Lock()
	defer p.mu.Unlock()
	p.subscriptions[prefix] = arrived
	return func() error {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.subscriptions, prefix)
		for _, pull := range p.broker.pulls {
			pull.over = pull.over || strings.HasPrefix(pull.inbox, prefix)
		}
		return nil
	}, nil
}

// arrive hands over what was sent to an inbox, if somebody listens there.
func (p *process) arrive(inbox string, msg *nats.Msg) {
	if !p.reachable() || p.broker.down {
		return
	}
	if arrived := p.subscriptions[inbox[:strings.LastIndexByte(inbox, '.')+1]]; arrived != nil {
		arrived <- msg
	}
}

func (p *process) Publish(subject string, data []byte) error {
	if err := p.awake(); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	era, sequence, delivery := parseReply(subject)
	what := string(data)
	if what == "+ACK" {
		p.checkAcked(era, sequence)
	}
	if err := p.connected(); err != nil {
		return err
	}
	p.answers[subject+what]++
	about := []uint64{aboutAnswer, uint64(era), sequence, delivery, uint64(what[1]), p.answers[subject+what], uint64(p.consumer)}
	fate := p.fault(about...)
	if fate == lost || p.cut {
		p.notef("%s: %s of %d is lost", p, what, sequence)
		return nil
	}
	p.after(p.latency(fate, about...), func() { p.broker.answered(sequence, what) })
	return nil
}

func (p *process) PublishRequest(_, reply string, data []byte) error {
	if err := p.awake(); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.connected(); err != nil {
		return err
	}
	about := []uint64{aboutQuestion, number(reply)}
	fate := p.fault(about...)
	if fate == lost || p.cut {
		return nil
	}
	p.after(p.latency(fate, about...), func() { p.broker.ask(p, reply, data) })
	return nil
}

func (p *process) RequestWithContext(context.Context, string, []byte) (*nats.Msg, error) {
	return nil, errors.New("no message here has headers that can't be read")
}
