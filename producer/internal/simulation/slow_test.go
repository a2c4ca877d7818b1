package simulation

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamgauge/streamgauge/shared/record"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// A consumer that takes seconds to find out which batches are missing is not a
// missing consumer: what it has is not sent, and what the broker lost is.
func TestSlowToSayWhatIsMissing(t *testing.T) {
	for name, c := range map[string]struct {
		listing time.Duration
		loses   bool
		most    time.Duration
	}{
		"loaded but for a batch": {3 * time.Second, false, 10 * time.Second},
		"lost by the broker":     {3 * time.Second, true, 30 * time.Second},
		"at its limit, and lost": {5 * time.Second, true, 40 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(1)
				w.on, w.calm = true, w.began
				s := w.consumers
				s.file, s.pace, s.poison, s.listing = fixtures[0], time.Millisecond, -1, c.listing
				const size = 2
				batches := int64(records+size-1) / size
				for number := int64(1); number < batches; number++ {
					s.store(&message{batch: wire.Batch{
						Source: s.file.source, Number: number, Batches: batches, Records: size,
						Plan: wire.Plan{Format: record.Format{Delimiter: ",", Fields: 3, Price: 1, UserID: 2}, BatchSize: size},
					}})
				}
				p := newProcess(w, 0, 1, size, true)
				want := 1
				if c.loses {
					want = 2
					s.pace = time.Hour
					w.calm = w.began.Add(c.listing + time.Second)
					w.after(c.listing+time.Second, func() {
						s.pace = time.Millisecond
						w.broker.lose()
					})
				}
				o := p.run(t.Context())
				if o.code != exitDone || !s.complete() {
					t.Errorf("exit code %d, %v: %d of %d batches stored", o.code, o.err, len(s.done), s.batches)
				}
				if o.file.Loaded == nil || *o.file.Loaded != (batches-1)*size {
					t.Errorf("already loaded: %v, want %d", o.file.Loaded, (batches-1)*size)
				}
				if len(p.sent) != 1 || p.sent[batchKey{size, batches}] != want {
					t.Errorf("sent %v, want batch %d alone, %d times", p.sent, batches, want)
				}
				if took := time.Since(w.began); took > c.most {
					t.Errorf("it took %v", took)
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
