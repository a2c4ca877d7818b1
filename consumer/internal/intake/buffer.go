package intake

import (
	"context"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/shared/topology"
)

// buffer holds messages, those waiting to be taken and those taken but not yet
// dropped, up to a number of bytes and of messages.
type buffer struct {
	maxBytes, maxMessages int

	mu      sync.Mutex
	held    map[*Message]struct{}
	bytes   int        // size of what is held
	waiting []*Message // those of held that nobody has taken
	closed  bool
	last    time.Time // when the last message was added
	// arrived and freed are closed and replaced when something arrives or
	// leaves: a condition that can be waited for along with a context.
	arrived, freed chan struct{}
}

func newBuffer(maxBytes, maxMessages int) *buffer {
	return &buffer{
		maxBytes:    maxBytes,
		maxMessages: maxMessages,
		held:        make(map[*Message]struct{}),
		arrived:     make(chan struct{}),
		freed:       make(chan struct{}),
	}
}

// room waits until there is room for a message of least bytes, and returns for
// how many messages and bytes there is.
func (b *buffer) room(ctx context.Context, least int) (messages, bytes int, err error) {
	for {
		b.mu.Lock()
		messages, bytes = b.maxMessages-len(b.held), b.maxBytes-b.bytes
		freed := b.freed
		b.mu.Unlock()
		if messages > 0 && bytes >= least {
			return messages, bytes, nil
		}
		select {
		case <-ctx.Done():
			return 0, 0, ctx.Err()
		case <-freed:
		}
	}
}

// drained waits until the buffer holds nothing.
func (b *buffer) drained(ctx context.Context) error {
	for {
		b.mu.Lock()
		held, freed := len(b.held), b.freed
		b.mu.Unlock()
		if held == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-freed:
		}
	}
}

func (b *buffer) add(m *Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held[m] = struct{}{}
	b.last = time.Now()
	b.bytes += m.size
	b.waiting = append(b.waiting, m)
	close(b.arrived)
	b.arrived = make(chan struct{})
}

func (b *buffer) holds() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.held) > 0
}

func (b *buffer) size() (messages, bytes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.held), b.bytes
}

func (b *buffer) lastArrival() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last
}

// drop says whether m was held until now.
func (b *buffer) drop(m *Message) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, held := b.held[m]; !held {
		return false
	}
	delete(b.held, m)
	b.bytes -= m.size
	close(b.freed)
	b.freed = make(chan struct{})
	return true
}

// take waits for a message; it returns nil when the buffer has been closed.
func (b *buffer) take(ctx context.Context) (*Message, error) {
	for {
		b.mu.Lock()
		m, arrived, closed := b.pop(), b.arrived, b.closed
		b.mu.Unlock()
		if m != nil || closed {
			return m, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-arrived:
		}
	}
}

func (b *buffer) tryTake() *Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.pop()
}

func (b *buffer) pop() *Message {
	if len(b.waiting) == 0 {
		return nil
	}
	m := b.waiting[0]
	b.waiting[0] = nil
	if b.waiting = b.waiting[1:]; len(b.waiting) == 0 {
		b.waiting = nil
	}
	return m
}

// close gives back what nobody took and ends take.
func (b *buffer) close() {
	b.mu.Lock()
	b.closed = true
	close(b.arrived)
	b.arrived = make(chan struct{})
	b.mu.Unlock()
	b.giveBack()
}

// giveBack gives back what nobody took.
func (b *buffer) giveBack() {
	b.mu.Lock()
	waiting := b.waiting
	b.waiting = nil
	b.mu.Unlock()
	for _, m := range waiting {
		// What the server does not hear it finds out when AckWait has passed.
		_ = m.Release()
	}
}

// keepInProgress tells the server of the messages held, taken or not, so that
// it does not deliver them again while they wait for the database.
func (b *buffer) keepInProgress(ctx context.Context) error {
	ticker := time.NewTicker(topology.InProgressEvery / 4)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-ticker.C:
			for _, m := range b.due(now) {
				// A report that fails is repeated soon, and one that is missed
				// costs a delivery that the ledger ignores.
				_ = m.delivery.InProgress()
			}
		}
	}
}

func (b *buffer) due(now time.Time) []*Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	var due []*Message
	for m := range b.held {
		if now.Sub(m.renewed) >= topology.InProgressEvery*3/4 {
			m.renewed = now
			due = append(due, m)
		}
	}
	return due
}
