package pgcopy

import (
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/streamgauge/streamgauge/shared/record"
)

// PostgreSQL's numeric on the wire (numeric_send in src/backend/utils/adt/numeric.c):
// four 16-bit words (digits, weight, sign, display scale), then digits of base
// 10,000, the first of which stands for 10,000^weight.
const (
	base         = 10_000
	baseDigits   = 4
	signNegative = 0x4000
	// maxDigits holds 38 decimal digits, padded by up to three at either end.
	maxDigits = 11
	// maxNumeric is the most bytes of a numeric: its length, the words, the digits.
	maxNumeric = 4 + 4*2 + maxDigits*2
)

var powers = [baseDigits]uint64{1, 10, 100, 1000}

// putNumeric writes a value with its length in front to b, which has maxNumeric
// bytes, and returns how many it took.
func putNumeric(b []byte, d *record.Decimal) int {
	if d.Null {
		binary.BigEndian.PutUint32(b, math.MaxUint32)
		return 4
	}
	// The point has to fall between two digits of base 10,000.
	padding := (baseDigits - int(d.Scale)%baseDigits) % baseDigits
	fraction := (int(d.Scale) + padding) / baseDigits

	var digits [maxDigits]uint16
	n := 0 // digits, the least significant first
	if d.Hi == 0 && d.Lo <= math.MaxUint64/1000 {
		for v := d.Lo * powers[padding]; v > 0; v /= base {
			digits[n] = uint16(v % base)
			n++
		}
	} else {
		n = wideDigits(&digits, d, padding)
	}
	weight := n - fraction - 1
	least := 0
	for least < n && digits[least] == 0 {
		least++
	}
	if least == n {
		weight = 0
	}
	_ = b[maxNumeric-1]
	count := n - least
	binary.BigEndian.PutUint32(b, uint32(8+2*count))
	binary.BigEndian.PutUint16(b[4:], uint16(count))
	binary.BigEndian.PutUint16(b[6:], uint16(int16(weight)))
	sign := uint16(0)
	if d.Negative {
		sign = signNegative
	}
	binary.BigEndian.PutUint16(b[8:], sign)
	binary.BigEndian.PutUint16(b[10:], uint16(d.Scale))
	length := 12
	for i := n - 1; i >= least; i-- {
		binary.BigEndian.PutUint16(b[length:], digits[i])
		length += 2
	}
	return length
}

// wideDigits takes the lowest digits off first, where the padding belongs, so
// that the padded coefficient need not fit 128 bits.
func wideDigits(digits *[maxDigits]uint16, d *record.Decimal, padding int) int {
	hi, lo := d.Hi, d.Lo
	divide := func(by uint64) uint64 {
		var high, rest uint64
		high, rest = hi/by, hi%by
		lo, rest = bits.Div64(rest, lo, by)
		hi = high
		return rest
	}
	first := powers[(baseDigits-padding)%baseDigits]
	if padding == 0 {
		first = base
	}
	digits[0] = uint16(divide(first) * powers[padding])
	n := 1
	for hi != 0 || lo != 0 {
		digits[n] = uint16(divide(base))
		n++
	}
	return n
}
