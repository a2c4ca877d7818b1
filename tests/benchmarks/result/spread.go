package result

import (
	"cmp"
	"slices"
	"time"
)

// Spread is a median with the least and the greatest value beside it.
type Spread struct{ Median, Min, Max float64 }

// SpreadOf returns the zero Spread for no values.
func SpreadOf(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	median := sorted[middle]
	if len(sorted)%2 == 0 {
		median = (sorted[middle-1] + sorted[middle]) / 2
	}
	return Spread{Median: median, Min: sorted[0], Max: sorted[len(sorted)-1]}
}

// TimesOf returns quantiles by nearest rank; the durations need not be sorted.
func TimesOf(durations []time.Duration) Times {
	if len(durations) == 0 {
		return Times{}
	}
	sorted := slices.SortedFunc(slices.Values(durations), cmp.Compare)
	at := func(percent int) float64 {
		rank := (len(sorted)*percent + 99) / 100
		return milliseconds(sorted[rank-1])
	}
	return Times{Count: len(sorted), P50: at(50), P99: at(99), Max: milliseconds(sorted[len(sorted)-1])}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// Over returns the spread of f over a contender's runs.
func (c Contender) Over(f func(Run) float64) Spread {
	values := make([]float64, len(c.Runs))
	for i, run := range c.Runs {
		values[i] = f(run)
	}
	return SpreadOf(values)
}

// Ratio is c's rows/s as a share of other's, taken round by round, so that what
// slows the machine for a while slows both sides.
func (c Contender) Ratio(other Contender) Spread {
	var ratios []float64
	for _, run := range c.Runs {
		for _, against := range other.Runs {
			if against.Round == run.Round {
				ratios = append(ratios, run.Rate()/against.Rate())
			}
		}
	}
	return SpreadOf(ratios)
}

// Contender returns the one with the key, and whether it was run.
func (r *Report) Contender(key string) (Contender, bool) {
	for _, c := range r.Contenders {
		if c.Key == key && len(c.Runs) > 0 {
			return c, true
		}
	}
	return Contender{}, false
}
