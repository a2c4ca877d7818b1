package deliver

import (
	"testing"
	"time"
)

func TestThrottle(t *testing.T) {
	start := time.Now()
	for name, c := range map[string]struct {
		perSecond float64
		records   int
		late      time.Duration // of each batch
		batches   int
		want      time.Duration
	}{
		"none":              {0, 500, 0, 1000, 0},
		"a batch a second":  {500, 500, 0, 11, 10 * time.Second},
		"slower than one":   {0.5, 1, 0, 3, 4 * time.Second},
		"late timers":       {1e6, 500, 300 * time.Microsecond, 20_001, 10 * time.Second},
		"slow by itself":    {1e6, 500, time.Second, 11, 10 * time.Second},
		"an outage, at end": {500, 500, 10 * time.Second, 3, 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			limit, now := throttle{perSecond: c.perSecond}, start
			for i := range c.batches {
				if turn := limit.turn(now, c.records); turn.After(now) {
					now = turn
				}
				if i < c.batches-1 {
					now = now.Add(c.late)
				}
			}
			took := now.Sub(start)
			if diff := (took - c.want).Abs(); diff > catchUp+c.late {
				t.Errorf("took %s, want %s", took, c.want)
			}
		})
	}
}
