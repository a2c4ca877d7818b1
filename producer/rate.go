package main

import (
	"fmt"
	"strconv"
	"strings"
)

// maxRate is more than any broker takes.
const maxRate = 1e9

// rate reads rows a second: 200, 0.5, 10k, 1.5M.
func rate(text string) (float64, error) {
	number, times := strings.TrimSpace(text), 1.0
	switch {
	case strings.HasSuffix(strings.ToLower(number), "k"):
		number, times = number[:len(number)-1], 1e3
	case strings.HasSuffix(strings.ToLower(number), "m"):
		number, times = number[:len(number)-1], 1e6
	}
	perSecond, err := strconv.ParseFloat(number, 64)
	perSecond *= times
	// Digits alone: ParseFloat also reads 0x1p4, inf and nan.
	if err != nil || strings.Trim(number, "0123456789.") != "" || perSecond <= 0 || perSecond > maxRate {
		return 0, fmt.Errorf("--rate is rows a second, more than 0, as in 200, 10k or 1.5M, not %q", text)
	}
	return perSecond, nil
}
