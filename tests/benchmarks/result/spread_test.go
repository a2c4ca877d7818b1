package result

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSpreadOf(t *testing.T) {
	for name, c := range map[string]struct {
		values []float64
		want   Spread
	}{
		"none": {nil, Spread{}},
		"one":  {[]float64{2}, Spread{2, 2, 2}},
		"odd":  {[]float64{9, 1, 3}, Spread{3, 1, 9}},
		"even": {[]float64{4, 1, 2, 8}, Spread{3, 1, 8}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, SpreadOf(c.values)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestTimesOfNearestRank(t *testing.T) {
	var all []time.Duration
	for i := range 200 {
		all = append(all, time.Duration(200-i)*time.Millisecond)
	}
	want := Times{Count: 200, P50: 100, P99: 198, Max: 200}
	if diff := cmp.Diff(want, TimesOf(all)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	want = Times{Count: 1, P50: 7, P99: 7, Max: 7}
	if diff := cmp.Diff(want, TimesOf([]time.Duration{7 * time.Millisecond})); diff != "" {
		t.Errorf("one (-want +got):\n%s", diff)
	}
}

// Ratios are of runs in the same round; a round that one of the two missed does
// not count.
func TestRatioByRound(t *testing.T) {
	run := func(round int, seconds float64) Run { return Run{Round: round, Rows: 100, Seconds: seconds} }
	fast := Contender{Runs: []Run{run(1, 1), run(2, 10), run(4, 1)}}
	slow := Contender{Runs: []Run{run(2, 20), run(1, 3), run(3, 1)}}
	if diff := cmp.Diff(Spread{2.5, 2, 3}, fast.Ratio(slow)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
