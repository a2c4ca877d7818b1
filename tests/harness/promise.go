package harness

import (
	"slices"
	"testing"
	"time"
)

// Promise is something that is promised within so long, from its making on, of
// programs that get to run.
type Promise struct {
	delays *Delays
	began  time.Time
	within time.Duration
}

// Promised begins to measure. The promise is that of the programs that have been
// started in the environment, and still run or are started meanwhile.
func (e *Env) Promised(t testing.TB, within time.Duration) *Promise {
	t.Helper()
	return &Promise{WatchDelays(t, e.running), time.Now(), within}
}

// running are the ids of the programs that run.
func (e *Env) running() []int {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.started = slices.DeleteFunc(e.started, func(p *Process) bool { return isClosed(p.exited) })
	pids := make([]int, len(e.started))
	for i, p := range e.started {
		pids[i] = p.PID()
	}
	return pids
}

// Kept fails the test unless the promise has been kept, now that the thing has
// happened, and says so where that is by the machine's delay alone.
func (p *Promise) Kept(t testing.TB, what string) {
	t.Helper()
	told, broken := p.delays.Keeps(p.began, time.Now(), p.within)
	switch {
	case broken:
		t.Errorf("%s after %s", what, told)
	case told != "":
		t.Logf("%s after %s: the machine's delay", what, told)
	}
}

// Eventually waits for a condition as the function of that name does, and fails
// the test when the promise is broken.
func (p *Promise) Eventually(t testing.TB, what string, check func() (done bool, state string)) {
	t.Helper()
	Eventually(t, tolerated*p.within, what, func() (bool, string) {
		done, state := check()
		if done {
			p.Kept(t, what)
			return true, ""
		}
		if told, broken := p.delays.Keeps(p.began, time.Now(), p.within); broken {
			t.Fatalf("waited for %s for %s; last: %s", what, told, state)
		}
		return false, state
	})
}

// Ends waits until a process has ended by itself.
func (p *Promise) Ends(t testing.TB, process *Process) Result {
	t.Helper()
	result := process.WaitWithin(t, tolerated*p.within)
	p.Kept(t, process.name+" ended")
	return result
}

// Moves waits until done for as long as a figure changes each time within what is
// promised.
func (p *Promise) Moves(t testing.TB, what string, figure func() (value int64, done bool)) {
	t.Helper()
	moves(t, what, figure, func(since time.Time) (told string, late bool) { return p.delays.Keeps(since, time.Now(), p.within) })
}

// Moves waits until done for as long as a figure changes at least once in so
// long: what has no deadline may be slow, but not stand still.
func Moves(t testing.TB, within time.Duration, what string, figure func() (value int64, done bool)) {
	t.Helper()
	moves(t, what, figure, func(since time.Time) (told string, late bool) { return within.String(), time.Since(since) > within })
}

func moves(t testing.TB, what string, figure func() (value int64, done bool), stands func(since time.Time) (told string, late bool)) {
	t.Helper()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	last, changed := int64(-1), time.Now()
	for {
		value, done := figure()
		if done {
			return
		}
		if value != last {
			last, changed = value, time.Now()
		} else if told, late := stands(changed); late {
			t.Fatalf("nothing has happened for %s on the way to %s: %d so far", told, what, value)
		}
		<-tick.C
	}
}
