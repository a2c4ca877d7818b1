package main

import "testing"

func TestRate(t *testing.T) {
	for text, want := range map[string]float64{
		"200": 200, "0.5": 0.5, "10k": 10_000, "10K": 10_000, "1.5M": 1_500_000, "2m": 2_000_000, " 7 ": 7, "1000000000": 1e9,
		"": 0, "0": 0, "-1": 0, "k": 0, "1kk": 0, "10x": 0, "1e3": 0, "0x10": 0, "inf": 0, "NaN": 0, "1001M": 0, "1_000": 0, "1,000": 0, ".": 0, "10 k": 0,
	} {
		got, err := rate(text)
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %g, %v; want %g", text, got, err, want)
		}
	}
}
