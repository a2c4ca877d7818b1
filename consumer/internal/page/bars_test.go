package page

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// logBuckets puts prices into buckets each 2 % wider than the one before, as
// bucket counts come.
func logBuckets(prices []float64) []Bucket {
	const gamma = 1.02
	found := make(map[int]int64)
	var buckets []Bucket
	zeros := int64(0)
	for _, p := range prices {
		switch {
		case p == 0:
			zeros++
		case p > 0:
			found[int(math.Ceil(math.Log(p)/math.Log(gamma)))]++
		default:
			buckets = append(buckets, Bucket{p * 1.01, p * 0.99, 1})
		}
	}
	for i, n := range found {
		buckets = append(buckets, Bucket{math.Pow(gamma, float64(i-1)), math.Pow(gamma, float64(i)), n})
	}
	if zeros > 0 {
		buckets = append(buckets, Bucket{0, 0, zeros})
	}
	return buckets
}

func bounds(prices []float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, p := range prices {
		low, high = min(low, p), max(high, p)
	}
	return low, high
}

// However prices lie, no price is lost, the bars follow each other, and there
// are neither few nor many.
func TestBarsHoldAllPrices(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prices := rapid.SliceOfN(rapid.OneOf(
			rapid.Float64Range(-1e6, 1e6), rapid.Float64Range(10, 100), rapid.Float64Range(1e-19, 1e19), rapid.Just(0.0), rapid.Just(50.0),
		), 1, 200).Draw(t, "prices")
		low, high := bounds(prices)
		h := bars(logBuckets(prices), low, high)
		sum := 0.0
		for i, b := range h.Bars {
			if math.IsNaN(b.Count) || b.Count < 0 || b.High <= b.Low && low < high {
				t.Fatalf("bar %d: %+v", i, b)
			}
			if i > 0 && b.Low != h.Bars[i-1].High {
				t.Fatalf("a gap before bar %d: %+v", i, h.Bars)
			}
			sum += b.Count
		}
		if math.Abs(sum-float64(len(prices))) > 1e-6*float64(len(prices)) {
			t.Fatalf("%v prices of %d", sum, len(prices))
		}
		if n := len(h.Bars); n < 1 || n > 2*aboutBars {
			t.Fatalf("%d bars", n)
		}
		first, last := h.Bars[0], h.Bars[len(h.Bars)-1]
		if (low < first.Low) != first.Below || (high > last.High) != last.Above {
			t.Fatalf("from %v to %v, bars %+v to %+v", low, high, first, last)
		}
	})
}

func TestBarsAreWhereThePricesAre(t *testing.T) {
	var even, wide, outlier []float64
	for i := range 9000 {
		even = append(even, 10+float64(i)/100)
		wide = append(wide, math.Pow(10, float64(i)/2000))
		outlier = append(outlier, 10+float64(i)/100)
	}
	outlier = append(outlier, 1_000_000)
	for _, test := range []struct {
		name   string
		prices []float64
		log    bool
		least  int // bars
		spread float64
	}{
		{"even", even, false, 15, 1.1},
		{"over many powers of ten", wide, true, 30, 1.2},
		{"one far out", outlier, false, 15, 1.3},
	} {
		t.Run(test.name, func(t *testing.T) {
			low, high := bounds(test.prices)
			h := bars(logBuckets(test.prices), low, high)
			if h.Log != test.log || len(h.Bars) < test.least {
				t.Fatalf("log %v, %d bars", h.Log, len(h.Bars))
			}
			least, most := math.Inf(1), 0.0
			for _, b := range h.Bars[1 : len(h.Bars)-1] {
				least, most = min(least, b.Count), max(most, b.Count)
			}
			if most > test.spread*least {
				t.Errorf("of even prices bars from %v to %v: %+v", least, most, h.Bars)
			}
		})
	}
}

func TestBarsOfNothingAndOfOne(t *testing.T) {
	if h := bars(nil, 0, 0); h.Bars != nil {
		t.Errorf("%+v", h)
	}
	for _, price := range []float64{0, 5, -5, 1e-19, 1e19} {
		h := bars(logBuckets([]float64{price, price}), price, price)
		if len(h.Bars) == 0 || h.Bars[0].Count+h.Bars[len(h.Bars)-1].Count < 1.99 {
			t.Errorf("%v: %+v", price, h)
		}
	}
}

// Prices that floating point hardly tells apart must not make bars without end.
func TestBarsOfPricesNextToEachOther(t *testing.T) {
	for _, at := range []float64{1e15, -1e15, 1.02e17, 1e37} {
		low, high := math.Nextafter(at, math.Inf(-1)), math.Nextafter(at, math.Inf(1))
		h := bars([]Bucket{{low, at, 3}, {at, high, 4}}, low, high)
		sum := 0.0
		for _, b := range h.Bars {
			if sum += b.Count; b.High <= b.Low {
				t.Errorf("around %v a bar from %v to %v", at, b.Low, b.High)
			}
		}
		if len(h.Bars) > 2*aboutBars || math.Abs(sum-7) > 1e-6 {
			t.Errorf("around %v %d bars with %v prices", at, len(h.Bars), sum)
		}
	}
}

// Different numbers may have the same logarithm.
func TestBarsOfPricesWithTheSameLogarithm(t *testing.T) {
	for _, high := range []float64{100, 110, 1e15} {
		next := math.Nextafter(high, math.Inf(1))
		h := bars([]Bucket{{0.99, 1.01, 10}, {high, high * 1.02, 10}}, 1, next)
		if !h.Log {
			t.Fatalf("up to %v the axis is plain", next)
		}
		sum := 0.0
		for _, b := range h.Bars {
			sum += b.Count
		}
		if !(math.Abs(sum-20) < 1e-6) { // also where it is NaN
			t.Errorf("up to %v %v prices", next, sum)
		}
	}
}
