package faults

import (
	"strconv"
	"strings"
	"sync"
	"time"
)

// strike is when a program was killed, or stopped until it was continued. What
// it is handed later is no longer struck.
type strike struct{ from, to time.Time }

// holdings are the messages of the stream and who was handed each last: what a
// struck consumer holds has to come again, to it or to another. It is safe for
// concurrent use.
type holdings struct {
	mu   sync.Mutex
	last map[uint64]holding // by stream sequence
}

type holding struct {
	by *worker
	at time.Time
}

// handed notes a delivery. It returns since when the message was due, the zero
// time unless it comes again from a consumer that was struck while it held it.
func (h *holdings) handed(by *worker, d delivery) (due time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.last == nil {
		h.last = make(map[uint64]holding)
	}
	before, held := h.last[d.sequence]
	h.last[d.sequence] = holding{by, time.Now()}
	if !held || d.times == 1 {
		return time.Time{}
	}
	struck := before.by.struck.Load()
	switch {
	case struck == nil || before.at.After(struck.to):
		return time.Time{}
	case before.at.After(struck.from):
		return before.at
	default:
		return struck.from
	}
}

// delivery is what an ack subject says of its message.
type delivery struct {
	times    int
	sequence uint64 // of the stream
}

// deliveryOf reads an ack subject of 9 words, or 12 with a domain (NATS's
// ADR-15). What it can't read is the zero value.
func deliveryOf(subject string) delivery {
	words := strings.Split(subject, ".")
	at := 4
	if len(words) > 9 {
		at = 6
	}
	if len(words) <= at+1 {
		return delivery{}
	}
	times, err := strconv.Atoi(words[at])
	if err != nil {
		return delivery{}
	}
	sequence, err := strconv.ParseUint(words[at+1], 10, 64)
	if err != nil {
		return delivery{}
	}
	return delivery{times, sequence}
}
