package consume

import "sync/atomic"

// health is why the consumer does not do its work. It is safe for concurrent use.
type health struct{ reason atomic.Pointer[string] }

func newHealth() *health {
	h := new(health)
	h.set("starting")
	return h
}

func (h *health) set(reason string) { h.reason.Store(&reason) }

// notReady is empty when the consumer is ready.
func (h *health) notReady() string { return *h.reason.Load() }
