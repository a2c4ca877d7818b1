package tally

import (
	"math/big"
	"strconv"
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
	if sums, ok := t.smallSums(); ok {
		return sums
	}
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

// smallSums is Sums for the common case: prices of one scale, and few enough of
// them for a word. A transaction may ask for the sums of hundreds of days.
func (t *Tally) smallSums() (sums Sums, ok bool) {
	if t.large != nil {
		return Sums{}, false
	}
	scale := -1
	for i := range t.small {
		if t.small[i].count == 0 {
			continue
		}
		if scale >= 0 {
			return Sums{}, false
		}
		scale = i
	}
	if scale < 0 {
		return Sums{}, false
	}
	s := &t.small[scale]
	// The least int64 has no negative.
	if s.sum.lo == 1<<63 || s.squares.hi != 0 || s.squares.mid != 0 || s.sum.hi != uint64(int64(s.sum.lo)>>63) {
		return Sums{}, false
	}
	return Sums{
		Sum:     word(int64(s.sum.lo), scale),
		Squares: point(false, strconv.FormatUint(s.squares.lo, 10), 2*scale),
		Min:     word(s.min, scale),
		Max:     word(s.max, scale),
	}, true
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
	return point(coefficient.Sign() < 0, new(big.Int).Abs(coefficient).String(), scale)
}

// word is decimal for a coefficient that is not the least int64.
func word(coefficient int64, scale int) string {
	return point(coefficient < 0, strconv.FormatInt(max(coefficient, -coefficient), 10), scale)
}

// point puts the point before the last scale digits.
func point(negative bool, digits string, scale int) string {
	sign := ""
	if negative {
		sign = "-"
	}
	if scale == 0 {
		return sign + digits
	}
	if missing := scale + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	whole := len(digits) - scale
	return sign + digits[:whole] + "." + digits[whole:]
}
