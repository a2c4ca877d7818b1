package simulation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// world is all that the producers of one schedule meet.
type world struct {
	trace
	dice // of what happens by itself

	mu        sync.Mutex // guards the models, and the draws
	broker    *broker
	consumers *consumers
	seed      uint64
	processes []*process // the present life of each producer
	// trouble is how many of a thousand things on their way go wrong, until calm.
	trouble    int
	calm       time.Time
	violations []string
}

func newWorld(seed uint64) *world {
	w := &world{trace: trace{began: time.Now()}, seed: seed}
	w.dice = w.roll(0)
	w.broker = &broker{world: w, stored: make(map[uint64]*message)}
	w.consumers = &consumers{world: w, done: make(map[int64]bool), deaths: make(map[int64]int)}
	return w
}

// brokenf notes a promise that was not kept.
func (w *world) brokenf(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.notef("VIOLATION: %s", text)
	w.violations = append(w.violations, text)
}

// dice are draws of their own. Each process has some, so that two that wake at
// the same moment do not take each other's.
type dice struct {
	world  *world
	random *rand.Rand
}

func (w *world) roll(of uint64) dice { return dice{w, rand.New(rand.NewPCG(w.seed, of))} }

// oneIn draws true once in n times.
func (d dice) oneIn(n int) bool { return d.random.IntN(n) == 0 }

// between draws a time from least up to most, to the nanosecond.
func (d dice) between(least, most time.Duration) time.Duration {
	return least + time.Duration(d.random.Int64N(int64(most-least)))
}

// fate is what becomes of something on its way.
type fate int

const (
	none fate = iota
	lost
	repeated
	slow
)

// fault draws whether something goes wrong.
func (d dice) fault() fate {
	if w := d.world; w.trouble == 0 || d.random.IntN(1000) >= w.trouble || !time.Now().Before(w.calm) {
		return none
	}
	return lost + fate(d.random.IntN(3))
}

// latency draws how long something takes.
func (d dice) latency(f fate) time.Duration {
	if f == slow {
		return d.world.limited(d.between(10*time.Millisecond, 8*time.Second))
	}
	return d.between(50*time.Microsecond, 3*time.Millisecond)
}

// limited keeps what goes wrong from lasting beyond calm.
func (w *world) limited(d time.Duration) time.Duration {
	return max(time.Microsecond+d%time.Millisecond, min(d, time.Until(w.calm)+d%time.Millisecond))
}

// after has f called under the mutex when d has passed.
func (w *world) after(d time.Duration, f func()) *time.Timer {
	return time.AfterFunc(d, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		f()
	})
}

// pause lets d pass, without the mutex.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// over says whether ctx has ended, or is about to at this very moment.
func over(ctx context.Context) bool {
	deadline, bounded := ctx.Deadline()
	return ctx.Err() != nil || bounded && !time.Now().Before(deadline)
}

// trace keeps what happened, where somebody wants to know.
type trace struct {
	on    bool
	began time.Time
	lines []string
}

func (t *trace) notef(format string, args ...any) {
	if t.on {
		t.lines = append(t.lines, fmt.Sprintf("%12.6f ", time.Since(t.began).Seconds())+fmt.Sprintf(format, args...))
	}
}
