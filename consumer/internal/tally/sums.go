package tally

import (
	"math/big"
	"strings"
)

// Sums are what a Tally adds up to, as PostgreSQL reads numerics. Each has the
// largest scale of the prices added, Squares twice that, as PostgreSQL's own
// aggregates do: the digits of avg(price) depend on it.
type Sums struct {
	Sum, Squares string
	// Min and Max have the scale of the price itself; they are empty when no row
	// had one.
	Min, Max string
}

// Sums adds up what Add and Merge gathered.
func (t *Tally) Sums() Sums {
	parts := t.parts()
	if len(parts) == 0 {
		return Sums{Sum: "0", Squares: "0"}
	}
	scale := 0
	for _, p := range parts {
		scale = max(scale, p.scale)
	}
	var sum, squares, least, greatest big.Int
	var sums Sums
	for i, p := range parts {
		factor := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale-p.scale)), nil)
		sum.Add(&sum, p.sum.Mul(p.sum, factor))
		if low := new(big.Int).Mul(p.min, factor); i == 0 || low.Cmp(&least) < 0 {
			least.Set(low)
			sums.Min = decimal(p.min, p.scale)
		}
		if high := new(big.Int).Mul(p.max, factor); i == 0 || high.Cmp(&greatest) > 0 {
			greatest.Set(high)
			sums.Max = decimal(p.max, p.scale)
		}
		squares.Add(&squares, p.squares.Mul(p.squares, factor.Mul(factor, factor)))
	}
	sums.Sum, sums.Squares = decimal(&sum, scale), decimal(&squares, 2*scale)
	return sums
}

// part is the prices of one scale.
type part struct {
	scale                  int
	sum, squares, min, max *big.Int
}

func (t *Tally) parts() []part {
	var parts []part
	for i := range t.small {
		if s := &t.small[i]; s.count > 0 {
			parts = append(parts, part{i, s.sum.big(), s.squares.big(), big.NewInt(s.min), big.NewInt(s.max)})
		}
	}
	if t.large == nil {
		return parts
	}
	for i := range t.large {
		if l := &t.large[i]; l.count > 0 {
			parts = append(parts, part{i, new(big.Int).Set(&l.sum), new(big.Int).Set(&l.squares), &l.min, &l.max})
		}
	}
	return parts
}

// decimal writes coefficient / 10^scale with all its digits.
func decimal(coefficient *big.Int, scale int) string {
	if scale == 0 {
		return coefficient.String()
	}
	digits := new(big.Int).Abs(coefficient).String()
	if missing := scale + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	sign := ""
	if coefficient.Sign() < 0 {
		sign = "-"
	}
	point := len(digits) - scale
	return sign + digits[:point] + "." + digits[point:]
}
