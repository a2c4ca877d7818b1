package page

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/streamgauge/streamgauge/shared/stats"
)

func TestCourseIsBoundedAndWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c course
		steps := rapid.SliceOfN(rapid.Int64Range(0, 100_000), 1, 5000).Draw(t, "steps")
		first, count := int64(-1), int64(0)
		for i, step := range steps {
			count += step
			if first < 0 {
				first = count
			}
			c.add(&stats.Snapshot{Revision: int64(i), Count: count, Mean: "1"})
			if last := c.points[len(c.points)-1]; last.revision != int64(i) || last.count != count {
				t.Fatalf("the newest is %d, the last point %+v", i, last)
			}
		}
		if len(c.points) >= mostPoints || c.points[0].count != first {
			t.Fatalf("%d points from %d on, not from %d", len(c.points), c.points[0].count, first)
		}
		// No gap is wider than the plot can hide, but for one that came at once.
		widest := int64(0)
		for i := 1; i < len(c.points); i++ {
			if c.points[i].revision <= c.points[i-1].revision {
				t.Fatalf("point %d is not after the one before", i)
			}
			widest = max(widest, c.points[i].count-c.points[i-1].count)
		}
		if most := (count-first)/16 + 200_000; widest > most {
			t.Fatalf("a gap of %d in %d", widest, count-first)
		}
	})
}

func TestRate(t *testing.T) {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	type grown struct {
		after time.Duration
		rows  int64
	}
	for _, test := range []struct {
		name  string
		grown []grown
		now   time.Duration
		want  float64
	}{
		{"nothing is known", nil, time.Minute, 0},
		{"rows from long ago", []grown{{0, 1_000_000}}, time.Minute, 0},
		{"a load that lasts", []grown{{0, 0}, {1 * time.Second, 100}, {2 * time.Second, 200}, {3 * time.Second, 300}, {10 * time.Second, 1000}}, 10 * time.Second, 140},
		{"one that has just begun", []grown{{0, 0}, {2 * time.Second, 1000}}, 2 * time.Second, 500},
		{"less than a second ago", []grown{{0, 0}, {time.Millisecond, 1000}}, time.Millisecond, 1000},
		{"the last rows leave the window", []grown{{0, 0}, {time.Second, 1000}}, 7 * time.Second, 0},
		{"rows were taken back", []grown{{0, 1000}, {time.Second, 10}}, 2 * time.Second, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			var p pace
			for _, g := range test.grown {
				p.add(begin.Add(g.after), g.rows)
			}
			if got := p.rate(begin.Add(test.now)); math.Abs(got-test.want) > 1e-9 {
				t.Errorf("%v, not %v", got, test.want)
			}
		})
	}
}

func TestRateKeepsFewSamples(t *testing.T) {
	var p pace
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range int64(100_000) {
		now = now.Add(time.Millisecond)
		p.add(now, i)
	}
	if most := int(rateWindow/rateStep) + 3; len(p.samples) > most {
		t.Errorf("%d samples", len(p.samples))
	}
	if got := p.rate(now); math.Abs(got-1000) > 60 {
		t.Errorf("%v rows a second, not about 1000", got)
	}
}
