package pipeline

import (
	"sync"
	"time"
)

// Activity is what the writers are doing, for whoever watches over them. The
// zero value is one that has done nothing. It is safe for concurrent use.
type Activity struct {
	mu        sync.Mutex
	inFlight  int
	committed time.Time
	failing   string
	since     time.Time
}

// InFlight says whether a transaction is under way.
func (a *Activity) InFlight() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.inFlight > 0
}

// Committed is when a transaction last took effect.
func (a *Activity) Committed() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.committed
}

// Failing is why the last transaction has to be tried again, and from when on
// none has taken effect; empty when one has, or PostgreSQL answers again.
func (a *Activity) Failing() (reason string, since time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.failing, a.since
}

func (a *Activity) begin() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.inFlight++
}

func (a *Activity) end(failed error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.inFlight--
	if failed == nil {
		a.committed, a.failing = time.Now(), ""
	}
}

func (a *Activity) fail(reason string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.failing == "" {
		a.since = time.Now()
	}
	a.failing = reason
}

func (a *Activity) answered() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failing = ""
}
