package intake

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestGateIsOpenAtFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		ctx, cancel := newGate().pass(t.Context())
		defer cancel()
		if ctx.Err() != nil || time.Since(began) != 0 {
			t.Errorf("passed after %s with %v", time.Since(began), ctx.Err())
		}
	})
}

func TestGateWaitsWhileItIsShut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		g.shut()
		g.shut() // two writers may
		passed := make(chan context.Context)
		go func() {
			ctx, cancel := g.pass(t.Context())
			defer cancel()
			passed <- ctx
			<-ctx.Done()
		}()
		<-time.After(time.Hour)
		synctest.Wait()
		select {
		case <-passed:
			t.Fatal("passed a gate that is shut")
		default:
		}
		g.open()
		g.open()
		ctx := <-passed
		synctest.Wait()
		if ctx.Err() != nil {
			t.Error("over although the gate is open")
		}
		g.shut()
		synctest.Wait()
		if ctx.Err() == nil {
			t.Error("not over although the gate is shut")
		}
	})
}

// Shut and opened at once, the gate still ends what passed it before.
func TestGateEndsWhatPassedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		ctx, cancel := g.pass(t.Context())
		defer cancel()
		g.shut()
		g.open()
		synctest.Wait()
		if ctx.Err() == nil {
			t.Error("what passed before goes on")
		}
		again, cancelAgain := g.pass(t.Context())
		defer cancelAgain()
		synctest.Wait()
		if again.Err() != nil {
			t.Error("what passed after is over")
		}
	})
}

func TestGateLetsGoOfWhoIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		g.shut()
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		passed, cancel := g.pass(ctx)
		defer cancel()
		if passed.Err() == nil {
			t.Error("goes on after the end")
		}
	})
}

// Whatever order they come in, nobody is left waiting and nothing is left behind.
func TestGateConcurrently(t *testing.T) {
	g := newGate()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 500 {
				ctx, cancel := g.pass(t.Context())
				_ = ctx.Err()
				cancel()
			}
		})
		wg.Go(func() {
			for range 500 {
				g.shut()
				g.open()
			}
		})
	}
	wg.Wait()
}
