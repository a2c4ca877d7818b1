package store

import (
	"math"
	"testing"
)

// A question is anyone's to ask, with any number.
func TestWithin(t *testing.T) {
	for _, test := range []struct{ asked, want int }{{0, 0}, {1, 1}, {10, 10}, {11, 10}, {math.MaxInt, 10}, {-1, 0}, {math.MinInt, 0}} {
		if got := within(test.asked, 10); got != test.want {
			t.Errorf("%d: got %d, want %d", test.asked, got, test.want)
		}
	}
}
