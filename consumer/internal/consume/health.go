package consume

import "sync/atomic"

// health is why the consumer does not do its work. It is safe for concurrent use.
type health struct{ reason atomic.Pointer[func() string] }

func newHealth() *health {
	h := new(health)
	h.set("starting")
	return h
}

func (h *health) set(reason string) { h.follow(func() string { return reason }) }

func (h *health) follow(notReady func() string) { h.reason.Store(&notReady) }

// notReady is one line, empty when the consumer is ready.
func (h *health) notReady() string { return (*h.reason.Load())() }
