package commit

import (
	"slices"

	"github.com/streamgauge/streamgauge/shared/wire"
)

// ranges are batch numbers, ascending and disjoint.
type ranges []wire.Range

// add appends a number that is higher than all before it.
func (r *ranges) add(number int64) {
	if n := len(*r); n > 0 && (*r)[n-1].Last == number-1 {
		(*r)[n-1].Last = number
		return
	}
	*r = append(*r, wire.Range{First: number, Last: number})
}

// of returns numbers, which are ascending, as ranges.
func of(numbers []int64) ranges {
	var r ranges
	for _, number := range numbers {
		r.add(number)
	}
	return r
}

func (r ranges) count() (n int64) {
	for _, one := range r {
		n += one.Last - one.First + 1
	}
	return n
}

func (r ranges) has(number int64) bool {
	_, found := slices.BinarySearchFunc(r, number, func(one wire.Range, number int64) int {
		switch {
		case one.Last < number:
			return -1
		case one.First > number:
			return 1
		}
		return 0
	})
	return found
}

// both are the numbers in r and in other.
func (r ranges) intersect(other ranges) ranges {
	var out ranges
	for i, j := 0, 0; i < len(r) && j < len(other); {
		first, last := max(r[i].First, other[j].First), min(r[i].Last, other[j].Last)
		if first <= last {
			out = append(out, wire.Range{First: first, Last: last})
		}
		if r[i].Last < other[j].Last {
			i++
		} else {
			j++
		}
	}
	return out
}

// without are the numbers in r except those in gone, which is ascending.
func (r ranges) without(gone []int64) ranges {
	var out ranges
	for _, one := range r {
		for _, number := range gone {
			if number < one.First || number > one.Last {
				continue
			}
			if one.First < number {
				out = append(out, wire.Range{First: one.First, Last: number - 1})
			}
			one.First = number + 1
		}
		if one.First <= one.Last {
			out = append(out, one)
		}
	}
	return out
}
