package simulation

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamgauge/streamgauge/shared/record"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// A producer that finds no consumer sends by its own batch size. When one comes
// and says that another is stored, it sends by that from then on, also when
// nobody answers again just then (seeds 1748 and 4061 of an earlier state).
func TestAdoptsTheSizeItIsToldOfWhileItWaits(t *testing.T) {
	for name, silentAgain := range map[string]time.Duration{"answered": 0, "silent again": 10 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(1)
				w.on, w.calm = true, w.began
				c := w.consumers
				c.file, c.pace, c.poison, c.down = fixtures[0], time.Millisecond, -1, true
				c.store(&message{batch: wire.Batch{
					Source: c.file.source, Number: 1, Batches: 6, Records: 2,
					Plan: wire.Plan{Format: record.Format{Delimiter: ",", Fields: 3, Price: 1, UserID: 2}, BatchSize: 2},
				}})
				// After the patience with which one is looked for at the start.
				w.after(2300*time.Millisecond, func() { c.down = false })
				c.told = func() {
					c.told = nil
					c.down = silentAgain > 0
					w.after(silentAgain, func() { c.down = false })
				}
				p := newProcess(w, 0, 1, 3, true)
				if o := p.run(t.Context()); o.code != exitDone || !c.complete() {
					t.Errorf("exit code %d, %v: %d of %d batches stored", o.code, o.err, len(c.done), c.batches)
				}
				for k, times := range p.sent {
					if times != 1 {
						t.Errorf("batch %d of size %d was sent %d times", k.number, k.size, times)
					}
				}
				for _, violation := range w.violations {
					t.Error(violation)
				}
				if t.Failed() {
					t.Log(strings.Join(w.lines, "\n"))
				}
			})
		})
	}
}
