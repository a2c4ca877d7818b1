package progress

import (
	"sync"
	"time"
)

const (
	// paceOver is the time over which rows a second are counted: long enough to
	// hold still, short enough to follow a change.
	paceOver = 5 * time.Second
	// sampleEvery bounds how many samples that takes.
	sampleEvery = 100 * time.Millisecond
	// settles is how long it takes until it says how long the rest will: before,
	// what has begun last weighs too much.
	settles = 2 * time.Second
)

// pace is how fast a count has risen lately. It is safe for concurrent use.
type pace struct {
	mu   sync.Mutex
	seen []sample // the oldest first
	from time.Time
}

type sample struct {
	at    time.Time
	count int64
}

// begin forgets what was before.
func (p *pace) begin(at time.Time, count int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen, p.from = append(p.seen[:0], sample{at, count}), at
}

// settled says whether it holds for longer than a moment.
func (p *pace) settled(at time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return at.Sub(p.from) >= settles
}

// rate takes in a count and returns what was added to it a second.
func (p *pace) rate(at time.Time, count int64) float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.seen) == 0 {
		p.seen = append(p.seen, sample{at, count})
	}
	for len(p.seen) > 1 && at.Sub(p.seen[1].at) >= paceOver {
		p.seen = p.seen[1:]
	}
	first, last := p.seen[0], p.seen[len(p.seen)-1]
	if at.Sub(last.at) >= sampleEvery {
		p.seen = append(p.seen, sample{at, count})
	}
	took := at.Sub(first.at).Seconds()
	if took <= 0 {
		return 0
	}
	return float64(count-first.count) / took
}
