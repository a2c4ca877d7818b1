package consume

import (
	"testing"
	"time"
)

func TestServerClock(t *testing.T) {
	start := time.Now()
	wall := time.Date(2012, time.January, 10, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		asked, answered time.Duration // since the first answer
		told            time.Duration // since what the first one told
		want            time.Duration
	}{
		"goes right":             {time.Second, time.Second, time.Second, 0},
		"a slow answer":          {time.Second, 3 * time.Second, 3 * time.Second, 0},
		"told early, comes late": {time.Second, 3 * time.Second, time.Second, 0},
		"a day back":             {time.Second, time.Second, time.Second - 24*time.Hour, 24 * time.Hour},
		"back, and a slow one":   {time.Second, 3 * time.Second, 2*time.Second - time.Hour, time.Hour - time.Second},
		"a year ahead":           {time.Second, time.Second, 365 * 24 * time.Hour, 0},
		"stands still":           {5 * time.Second, 5 * time.Second, 0, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			var clock serverClock
			if behind := clock.back(start.Add(-time.Second), start, wall); behind != 0 {
				t.Errorf("the first answer: %v", behind)
			}
			if behind := clock.back(start.Add(c.asked), start.Add(c.answered), wall.Add(c.told)); behind != c.want {
				t.Errorf("%v behind, want %v", behind, c.want)
			}
		})
	}
}

// A server too old to tell what time it is has no clock that goes back.
func TestServerThatTellsNoTime(t *testing.T) {
	var clock serverClock
	start := time.Now()
	for i := range 3 {
		at := start.Add(time.Duration(i) * time.Second)
		if behind := clock.back(at, at, time.Time{}); behind != 0 {
			t.Errorf("answer %d: %v", i, behind)
		}
	}
}
