// Package tally adds up the prices of rows exactly, in all, by source and by day:
// what a transaction adds to the running statistics.
package tally

import (
	"math/big"
	"math/bits"

	"github.com/streamgauge/streamgauge/shared/record"
)

// scales is how many scales a price may have: 0 to 19 digits after the point.
const scales = 20

// Tally holds counts, sums and bounds of rows. The zero value is empty. It is
// not safe for concurrent use.
type Tally struct {
	// Rows counts rows; Count counts those with a price.
	Rows, Count int64
	// First and Last are the least and greatest timestamp in microseconds since
	// 1970; meaningless while Rows is zero.
	First, Last int64

	// Prices of different scales are added up apart, so that a row costs no
	// rescaling; they meet once, when the sums are asked for.
	small [scales]small
	large *[scales]large
}

// small sums prices whose coefficient fits an int64.
type small struct {
	count    int64
	sum      int128
	squares  uint192
	min, max int64
}

// large sums the others.
type large struct {
	count         int64
	sum, squares  big.Int
	min, max, tmp big.Int
}

// Add counts one row.
func (t *Tally) Add(row *record.Row) {
	if t.Rows == 0 || row.Timestamp < t.First {
		t.First = row.Timestamp
	}
	if t.Rows == 0 || row.Timestamp > t.Last {
		t.Last = row.Timestamp
	}
	t.Rows++
	if row.Price.Null {
		return
	}
	t.Count++
	if row.Price.Hi != 0 || row.Price.Lo > 1<<63-1 {
		t.addLarge(&row.Price)
		return
	}
	value := int64(row.Price.Lo)
	if row.Price.Negative {
		value = -value
	}
	t.small[row.Price.Scale].add(value, row.Price.Lo)
}

// add adds a coefficient; size is its absolute value.
func (s *small) add(value int64, size uint64) {
	if s.count == 0 || value < s.min {
		s.min = value
	}
	if s.count == 0 || value > s.max {
		s.max = value
	}
	s.count++
	s.sum.add(int128{uint64(value >> 63), uint64(value)})
	hi, lo := bits.Mul64(size, size)
	s.squares.add(uint192{0, hi, lo})
}

func (t *Tally) addLarge(price *record.Decimal) {
	if t.large == nil {
		t.large = new([scales]large)
	}
	l := &t.large[price.Scale]
	value := &l.tmp
	value.SetUint64(price.Hi)
	value.Lsh(value, 64)
	value.Or(value, new(big.Int).SetUint64(price.Lo))
	if price.Negative {
		value.Neg(value)
	}
	l.merge(1, value, new(big.Int).Mul(value, value), value, value)
}

func (l *large) merge(count int64, sum, squares, least, greatest *big.Int) {
	if l.count == 0 || least.Cmp(&l.min) < 0 {
		l.min.Set(least)
	}
	if l.count == 0 || greatest.Cmp(&l.max) > 0 {
		l.max.Set(greatest)
	}
	l.count += count
	l.sum.Add(&l.sum, sum)
	l.squares.Add(&l.squares, squares)
}

// Merge adds all that other holds.
func (t *Tally) Merge(other *Tally) {
	if other.Rows == 0 {
		return
	}
	if t.Rows == 0 || other.First < t.First {
		t.First = other.First
	}
	if t.Rows == 0 || other.Last > t.Last {
		t.Last = other.Last
	}
	t.Rows += other.Rows
	t.Count += other.Count
	for i := range other.small {
		t.small[i].merge(&other.small[i])
	}
	if other.large == nil {
		return
	}
	if t.large == nil {
		t.large = new([scales]large)
	}
	for i := range other.large {
		if o := &other.large[i]; o.count > 0 {
			t.large[i].merge(o.count, &o.sum, &o.squares, &o.min, &o.max)
		}
	}
}

func (s *small) merge(other *small) {
	if other.count == 0 {
		return
	}
	if s.count == 0 || other.min < s.min {
		s.min = other.min
	}
	if s.count == 0 || other.max > s.max {
		s.max = other.max
	}
	s.count += other.count
	s.sum.add(other.sum)
	s.squares.add(other.squares)
}
