package record

import "math/bits"

const (
	// MaxDigits is the most significant digits of a Decimal: the most whose
	// every value fits two 64-bit words with a sign beside them.
	MaxDigits = 38

	// MaxScale is the most digits of a Decimal after its point.
	MaxScale = 19
)

// maxExponent is where PostgreSQL's numeric input ends: an exponent must be
// less than half of the greatest 32-bit integer.
const maxExponent = 1<<30 - 1

// Decimal is an exact decimal number, (Hi·2⁶⁴ + Lo) / 10^Scale, with a sign, of
// at most MaxDigits significant digits. Scale is 0 to MaxScale and counts
// trailing zeros, so 50.00 and 50 differ. Zero is never Negative, as in
// PostgreSQL. The zero value is the number 0; Null means that there is none,
// and then all else is zero. Equal values of this type are equal numbers of
// equal scale, and == compares them.
type Decimal struct {
	Hi, Lo   uint64
	Scale    uint8
	Negative bool
	Null     bool
}

// ParseDecimal reads a number by the rules of PostgreSQL's numeric input: an
// optional sign, digits with at most one decimal point among, before or behind
// them, and an optional exponent, e or E with an optional sign and digits. The
// exponent is expanded: it moves the point, and the scale is the number of
// digits then behind it, or 0. So 5.00e1 is 50.0, 1e3 is 1000 and 1e-3 is
// 0.001.
//
// No NaN, infinity, hexadecimal, underscore, thousands separator or space is
// read. With decimalComma the point is a comma, and a point is refused. Empty
// input is null. More than MaxDigits significant digits, or a scale above
// MaxScale, give a Reason; both are counted after the exponent is expanded.
func ParseDecimal(b []byte, decimalComma bool) (Decimal, Reason) {
	if len(b) == 0 {
		return Decimal{Null: true}, ""
	}
	point, syntax := byte('.'), ReasonPriceSyntax
	if decimalComma {
		point, syntax = ',', ReasonPriceSyntaxComma
	}
	if d, plain := parsePlain(b, point); plain {
		return d, ""
	}

	var d Decimal
	i := 0
	if b[0] == '-' || b[0] == '+' {
		d.Negative = b[0] == '-'
		i++
	}
	read, significant, scale := 0, 0, 0
	fraction := false
	exponent := 0
digits:
	for ; i < len(b); i++ {
		switch c := b[i]; {
		case c-'0' < 10:
			read++
			if fraction {
				scale++
			}
			if significant > 0 || c != '0' {
				significant++
				d.push(c-'0', significant)
			}
		case c == point && !fraction:
			fraction = true
		case (c == 'e' || c == 'E') && read > 0:
			var ok bool
			if exponent, ok = parseExponent(b[i+1:]); !ok {
				return Decimal{}, syntax
			}
			break digits
		default:
			return Decimal{}, syntax
		}
	}
	if read == 0 {
		return Decimal{}, syntax
	}
	if exponent != 0 {
		if exponent >= maxExponent {
			return Decimal{}, ReasonPriceDigits
		}
		scale -= exponent
		if significant > 0 {
			for ; scale < 0 && significant <= MaxDigits; scale++ {
				significant++
				d.push(0, significant)
			}
		}
		scale = max(scale, 0)
	}
	switch {
	case significant > MaxDigits:
		return Decimal{}, ReasonPriceDigits
	case scale > MaxScale:
		return Decimal{}, ReasonPriceScale
	case significant == 0:
		d.Negative = false
	}
	d.Scale = uint8(scale)
	return d, ""
}

// parsePlain is ParseDecimal for the common case: digits that fit a word, with at
// most one point. It says no to anything else.
func parsePlain(b []byte, point byte) (Decimal, bool) {
	const most = 19 // digits that fit a word whatever they are
	if len(b) > most {
		return Decimal{}, false
	}
	var n uint64
	fraction := -1 // where it begins
	for i, c := range b {
		switch {
		case c-'0' < 10:
			n = n*10 + uint64(c-'0')
		case c == point && fraction < 0:
			fraction = i + 1
		default:
			return Decimal{}, false
		}
	}
	switch {
	case fraction < 0:
		return Decimal{Lo: n}, true
	case len(b) > 1:
		return Decimal{Lo: n, Scale: uint8(len(b) - fraction)}, true
	default:
		return Decimal{}, false
	}
}

// push appends a digit to the coefficient, as its n-th significant one. Digits
// beyond MaxDigits are dropped.
func (d *Decimal) push(digit byte, n int) {
	if n <= 19 {
		d.Lo = d.Lo*10 + uint64(digit)
		return
	}
	d.pushWide(digit, n)
}

func (d *Decimal) pushWide(digit byte, n int) {
	if n > MaxDigits {
		return
	}
	high, low := bits.Mul64(d.Lo, 10)
	low, carry := bits.Add64(low, uint64(digit), 0)
	d.Hi, d.Lo = d.Hi*10+high+carry, low
}

// parseExponent reads what follows the e of a number. What is beyond
// ±maxExponent comes back as that.
func parseExponent(b []byte) (int, bool) {
	negative := false
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		negative = b[0] == '-'
		b = b[1:]
	}
	if len(b) == 0 {
		return 0, false
	}
	n := 0
	for _, c := range b {
		if c-'0' >= 10 {
			return 0, false
		}
		n = min(n*10+int(c-'0'), maxExponent)
	}
	if negative {
		n = -n
	}
	return n, true
}

// String returns the number as PostgreSQL prints a numeric of the same text:
// with all Scale digits behind the point and at least one before it. It returns
// "" for null.
func (d Decimal) String() string {
	if d.Null {
		return ""
	}
	// A sign, a point and the digits of two words, or as many zeros as the
	// greatest Scale asks for.
	var text [1 + 1 + 256]byte
	i := len(text)
	high, low := d.Hi, d.Lo
	for n := 0; high != 0 || low != 0 || n <= int(d.Scale); n++ {
		if n > 0 && n == int(d.Scale) {
			i--
			text[i] = '.'
		}
		var digit uint64
		high, digit = high/10, high%10
		low, digit = bits.Div64(digit, low, 10)
		i--
		text[i] = '0' + byte(digit)
	}
	if d.Negative {
		i--
		text[i] = '-'
	}
	return string(text[i:])
}
