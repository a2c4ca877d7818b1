package intake

import (
	"context"
	"sync"
)

// gate is open or shut, and can be waited for. It is safe for concurrent use.
type gate struct {
	mu sync.Mutex
	// One of the two is closed: isOpen while the gate is open, isShut while not.
	isOpen, isShut chan struct{}
}

func newGate() *gate {
	g := &gate{isOpen: make(chan struct{}), isShut: make(chan struct{})}
	close(g.isOpen)
	return g
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.isShut:
		g.isShut = make(chan struct{})
		close(g.isOpen)
	default:
	}
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.isOpen:
		g.isOpen = make(chan struct{})
		close(g.isShut)
	default:
	}
}

// pulse ends what passed an open gate, which stays open.
func (g *gate) pulse() {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.isOpen:
		close(g.isShut)
		g.isShut = make(chan struct{})
	default:
	}
}

// pass waits until the gate is open, and returns a context that ends when it is
// shut again, or with ctx.
func (g *gate) pass(ctx context.Context) (context.Context, context.CancelFunc) {
	g.mu.Lock()
	opened := g.isOpen
	g.mu.Unlock()
	select {
	case <-opened:
	case <-ctx.Done():
	}
	g.mu.Lock()
	shut := g.isShut
	g.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-shut:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}
