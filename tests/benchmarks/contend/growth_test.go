package contend

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/tests/benchmarks/result"
)

// A load that reads for 10 s before its first rows, runs at 100 rows/s for the
// first half and at 50 for the second.
func TestGrowByQuarters(t *testing.T) {
	began := time.Unix(0, 0)
	at := func(seconds int) time.Time { return began.Add(time.Duration(seconds) * time.Second) }
	seen := &course{began: began, moments: []Moment{
		{at(10), 0}, {at(14), 0.4}, {at(15), 0.5}, {at(18), 0.65}, {at(25), 1},
	}}
	g := grow("pair", "the pair", result.Run{Rows: 1000, Seconds: 25}, seen)
	nearly := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-6 })
	if diff := cmp.Diff([4]float64{100, 100, 50, 50}, g.Quarters, nearly); diff != "" {
		t.Errorf("quarters (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(0.5, g.Flat(), nearly); diff != "" {
		t.Errorf("last quarter ÷ first (-want +got):\n%s", diff)
	}
	var rows float64
	for i, p := range g.Rate {
		rows += p.Value * 25 / points
		if i == 0 && p.Value != 0 {
			t.Errorf("%v rows/s while the file was read", p.Value)
		}
	}
	if rows < 999 || rows > 1001 {
		t.Errorf("the curve adds up to %v rows", rows)
	}
}
