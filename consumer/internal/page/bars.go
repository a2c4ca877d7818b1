package page

import (
	"math"
	"slices"
)

// Bucket counts prices from Low to below High, of negative ones from above Low to
// High, or exactly that where both are the same.
type Bucket struct {
	Low, High float64
	Count     int64
}

const (
	// aboutBars is how many bars a plot has, more or less: round bounds come first.
	aboutBars = 30
	// wideRatio is how many times the 1st percentile the 99th has to be for the
	// plot's axis to be logarithmic: on a plain one most prices would share a bar.
	wideRatio = 50
	// farOut is how many times as wide as the middle 99 % all prices together may
	// lie; beyond, what is outside the middle is one bar at each end.
	farOut = 4
	// tooFine is the share of a price below which no bar is wide enough to have two
	// bounds: a float64 has 15 to 17 digits.
	tooFine = 1e-14
)

// histogram is buckets made into bars of the same width on its axis.
type histogram struct {
	Log  bool  `json:"log"`
	Bars []bar `json:"bars"`
}

// bar is about how many prices lie between two bounds. The ends of all are open
// where Below or Above says so: they hold what is farther out, too.
type bar struct {
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	Count float64 `json:"count"`
	Below bool    `json:"below,omitempty"`
	Above bool    `json:"above,omitempty"`
}

// bars cuts buckets at the bounds of bars, as if the prices within a bucket lay
// evenly. Low and high are the least and the greatest price.
func bars(buckets []Bucket, low, high float64) histogram {
	buckets = within(buckets, low, high)
	if len(buckets) == 0 {
		return histogram{}
	}
	first, last := percentile(buckets, 0.01), percentile(buckets, 0.99)
	h := histogram{Log: first > 0 && last/first > wideRatio && low > 0}
	on := func(x float64) float64 { return x }
	var edges []float64
	if h.Log {
		on = math.Log
		edges = ratios(low, high)
	} else {
		left, right := percentile(buckets, 0.005), percentile(buckets, 0.995)
		if high-low <= farOut*(right-left) {
			left, right = low, high
		}
		edges = rounded(left, right)
	}
	h.Bars = make([]bar, len(edges)-1)
	for i := range h.Bars {
		h.Bars[i] = bar{Low: edges[i], High: edges[i+1]}
	}
	h.Bars[0].Below = low < edges[0]
	h.Bars[len(h.Bars)-1].Above = high > edges[len(edges)-1]
	for _, b := range buckets {
		h.spread(b, on)
	}
	return h
}

// spread adds a bucket to the bars that it overlaps, to each its part.
func (h *histogram) spread(b Bucket, on func(float64) float64) {
	end := len(h.Bars) - 1
	part := func(low, high float64) float64 {
		low, high = max(low, b.Low), min(high, b.High)
		if high <= low {
			return 0
		}
		return float64(b.Count) * (on(high) - on(low)) / (on(b.High) - on(b.Low))
	}
	// Two numbers next to each other may have the same logarithm.
	if on(b.High) <= on(b.Low) {
		i := 0
		for i < end && h.Bars[i].High <= b.Low {
			i++
		}
		h.Bars[i].Count += float64(b.Count)
		return
	}
	for i := range h.Bars {
		low, high := h.Bars[i].Low, h.Bars[i].High
		if i == 0 {
			low = b.Low
		}
		if i == end {
			high = b.High
		}
		h.Bars[i].Count += part(low, high)
	}
}

// within orders buckets, leaves out the empty ones, and cuts the others at the
// least and the greatest price, which lie within the first and the last.
func within(buckets []Bucket, low, high float64) []Bucket {
	var kept []Bucket
	for _, b := range buckets {
		if b.Count > 0 {
			kept = append(kept, Bucket{min(max(b.Low, low), high), max(min(b.High, high), low), b.Count})
		}
	}
	slices.SortFunc(kept, func(a, b Bucket) int {
		switch {
		case a.High < b.High:
			return -1
		case a.High > b.High:
			return 1
		}
		return 0
	})
	return kept
}

// percentile is about the price that a share of all are not above.
func percentile(ordered []Bucket, share float64) float64 {
	var all, passed int64
	for _, b := range ordered {
		all += b.Count
	}
	for _, b := range ordered {
		passed += b.Count
		if float64(passed) >= share*float64(all) {
			return b.High
		}
	}
	return ordered[len(ordered)-1].High
}

// rounded are bounds at round numbers, 1, 2 or 5 times a power of ten apart,
// that hold left and right.
func rounded(left, right float64) []float64 {
	most := max(math.Abs(left), math.Abs(right))
	rough := (right - left) / aboutBars
	if rough <= most*tooFine {
		// Bounds this near to each other are the same number in floating point,
		// and counting them up comes to no end.
		rough = max(most, 1) / aboutBars
	}
	power := math.Pow(10, math.Floor(math.Log10(rough)))
	step := 10 * power
	for _, times := range []float64{1, 2, 5} {
		if times*power >= rough*0.999 {
			step = times * power
			break
		}
	}
	begin, end := math.Floor(left/step+1e-9), math.Ceil(right/step-1e-9)
	end = max(end, begin+1)
	edges := make([]float64, 0, int(end-begin)+1)
	for i := begin; i <= end; i++ {
		edges = append(edges, i*step)
	}
	return edges
}

// ratios are bounds each as many times the one before.
func ratios(low, high float64) []float64 {
	edges := make([]float64, aboutBars+1)
	for i := range edges {
		edges[i] = low * math.Pow(high/low, float64(i)/aboutBars)
	}
	edges[aboutBars] = high
	return edges
}
