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
	answered  time.Time // when PostgreSQL answered since the last failure; zero when it has not
}

// doubted is for how long an outage still counts as one when PostgreSQL answers
// and nothing has been committed since: with a full disk it answers, too. It is
// longer than an attempt waits for a lock.
const doubted = 5 * time.Second

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
// none has taken effect; empty when one has, or when PostgreSQL has answered and
// there was nothing to write for a while.
func (a *Activity) Failing() (reason string, since time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.forget()
	return a.failing, a.since
}

// forget ends an outage that nothing has shown for long. The caller holds the lock.
func (a *Activity) forget() {
	if !a.answered.IsZero() && time.Since(a.answered) >= doubted {
		a.failing, a.answered = "", time.Time{}
	}
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
		a.committed, a.failing, a.answered = time.Now(), "", time.Time{}
	}
}

func (a *Activity) fail(reason string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.forget()
	if a.failing == "" {
		a.since = time.Now()
	}
	a.failing, a.answered = reason, time.Time{}
}

// answers says that PostgreSQL does, whatever it makes of what is written.
func (a *Activity) answers() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.failing != "" {
		a.answered = time.Now()
	}
}
