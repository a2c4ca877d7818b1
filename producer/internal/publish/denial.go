package publish

import "sync"

// Denial is the word that NATS denies what publishing needs. The server answers
// nothing to what it denies, so it arrives by another way than the acks. It is
// safe for concurrent use.
type Denial struct {
	once  sync.Once
	done  chan struct{}
	cause error
}

// NewDenial returns a Denial that has not come.
func NewDenial() *Denial { return &Denial{done: make(chan struct{})} }

// Come says that it has come, and why; only the first counts.
func (d *Denial) Come(cause error) {
	d.once.Do(func() {
		d.cause = cause
		close(d.done)
	})
}

// Done is closed once it has come.
func (d *Denial) Done() <-chan struct{} { return d.done }

// Err is a *DeniedError once it has come, nil before.
func (d *Denial) Err() error {
	select {
	case <-d.done:
		return &DeniedError{d.cause}
	default:
		return nil
	}
}
