// Package distribution counts prices in buckets, and says from the counts alone
// about where a share of the prices lies: the scheme of DDSketch, whose buckets
// are as wide as their prices are large, so that the relative error is bounded
// and counts of different rows are merged by adding them up.
package distribution

import (
	"math/bits"

	"github.com/streamgauge/streamgauge/shared/record"
)

// Bucket is the number of a bucket. Numbers rise with prices: 0 holds zero and
// nothing else, and -b the prices of b with the other sign.
//
// Which bucket a price is in follows from its decimal digits, by integers alone:
// its decade, and its first three digits, the rest cut off. Of these, 2, 5 or 10
// neighbours share a bucket, from 100, 250 and 500 on. So a bucket begins at its
// lower bound, ends before the upper one, and is at most 2 % wide. PostgreSQL's
// function stats_bucket follows the same rule.
type Bucket int16

const (
	// perDecade is how many buckets lie between a power of ten and the next.
	perDecade = 175
	// decades is how many there are: from 10^-19 to what has 38 digits.
	decades = record.MaxDigits + record.MaxScale
	// Most is the greatest Bucket, and its negative the least.
	Most Bucket = perDecade * decades
)

// step is a part of a decade, in thousandths of 10, in which so many neighbours
// share a bucket.
type step struct{ from, to, width int }

var steps = [...]step{{100, 250, 2}, {250, 500, 5}, {500, 1000, 10}}

// short are the buckets of the whole numbers up to three digits.
var short = shortBuckets()

func shortBuckets() (table [1000]uint16) {
	for n := 1; n < len(table); n++ {
		digits, lead := 1, n
		for rest := n; rest >= 10; rest /= 10 {
			digits++
		}
		for lead < 100 {
			lead *= 10
		}
		place := 0
		for _, s := range steps {
			if lead < s.to {
				place += (lead - s.from) / s.width
				break
			}
			place += (s.to - s.from) / s.width
		}
		table[n] = uint16((digits-1)*perDecade + place + 1)
	}
	return table
}

// powers are those of ten that fit a word.
var powers = func() (table [20]uint64) {
	table[0] = 1
	for i := 1; i < len(table); i++ {
		table[i] = 10 * table[i-1]
	}
	return table
}()

// Of returns the bucket of a price that is not null.
func Of(price *record.Decimal) Bucket {
	if price.Hi == 0 {
		b := OfScale(price.Scale).Bucket(price.Lo)
		if price.Negative {
			return -b
		}
		return b
	}
	// Of 38 digits at most, 19 are cut off; but three have to be left.
	n, rest := bits.Div64(price.Hi, price.Lo, powers[19])
	cut := 19
	if n < 100 {
		n, cut = n*100+rest/powers[17], 17
	}
	return place(n, cut+record.MaxScale-int(price.Scale), price.Negative)
}

// Scale gives the buckets of positive coefficients of one scale that fit a word.
type Scale struct {
	further int // digits between the last of a coefficient and the finest there is
	shift   Bucket
}

// OfScale returns the Scale of prices with so many digits after the point.
func OfScale(scale uint8) Scale {
	further := record.MaxScale - int(scale)
	return Scale{further, Bucket(further * perDecade)}
}

// Bucket returns the bucket of a coefficient. It is short, so that what most prices
// have costs no call.
func (s Scale) Bucket(coefficient uint64) Bucket {
	if coefficient-1 < uint64(len(short)-1) {
		return s.shift + Bucket(short[coefficient])
	}
	return s.long(coefficient)
}

//go:noinline
func (s Scale) long(coefficient uint64) Bucket {
	if coefficient == 0 {
		return 0
	}
	return place(coefficient, s.further, false)
}

// place returns the bucket of n and so many further digits, counted from the
// finest that a price has.
func place(n uint64, further int, negative bool) Bucket {
	if n >= uint64(len(short)) {
		cut := digits(n) - 3
		n /= powers[cut]
		further += cut
	}
	b := Bucket(int(short[n]) + further*perDecade)
	if negative {
		return -b
	}
	return b
}

func digits(n uint64) int {
	// 1233/4096 is about the logarithm of 2 to the base 10.
	about := bits.Len64(n) * 1233 >> 12
	if n < powers[about] {
		return about
	}
	return about + 1
}

// lead returns the first three digits of the lower bound of b without its sign,
// how many of their neighbours share b, and the power of ten they are multiplied
// with. b is not 0.
func (b Bucket) lead() (least, width, power int) {
	n := int(max(b, -b)) - 1
	power, n = n/perDecade-record.MaxScale-2, n%perDecade
	for _, s := range steps {
		if count := (s.to - s.from) / s.width; n >= count {
			n -= count
			continue
		}
		return s.from + n*s.width, s.width, power
	}
	panic("a decade has no more buckets")
}
