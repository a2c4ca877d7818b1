package record

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseDecimal(t *testing.T) {
	nines := strings.Repeat("9", MaxDigits)
	for _, test := range []struct {
		name   string
		input  string
		want   string // as PostgreSQL prints it
		reason Reason
		comma  bool
	}{
		{name: "integer", input: "50", want: "50"},
		{name: "scale is kept", input: "50.00", want: "50.00"},
		{name: "no digit before the point", input: ".5", want: "0.5"},
		{name: "no digit behind the point", input: "5.", want: "5"},
		{name: "plus", input: "+5", want: "5"},
		{name: "minus", input: "-5.10", want: "-5.10"},
		{name: "leading zeros go", input: "-0012.50", want: "-12.50"},
		{name: "zero", input: "0", want: "0"},
		{name: "zero keeps its scale", input: "0.000", want: "0.000"},
		{name: "zero is never negative", input: "-0.0", want: "0.0"},
		{name: "exponent moves the point", input: "5.00e1", want: "50.0"},
		{name: "exponent beyond the digits", input: "1e3", want: "1000"},
		{name: "exponent of as many digits", input: "1.23E+2", want: "123"},
		{name: "negative exponent", input: "1e-3", want: "0.001"},
		{name: "negative exponent adds to the scale", input: "12.5e-1", want: "1.25"},
		{name: "exponent of zero", input: "1.50e0", want: "1.50"},
		{name: "exponent with leading zeros", input: "1e0000000000000000000002", want: "100"},
		{name: "zero with an exponent", input: "0.00e1", want: "0.0"},
		{name: "zero with a great exponent", input: "0e1000000", want: "0"},
		{name: "a point and an exponent", input: "5.e1", want: "50"},
		{name: "empty is null", input: "", want: ""},

		{name: "most digits", input: nines, want: nines},
		{name: "most digits, negative", input: "-" + nines, want: "-" + nines},
		{name: "most digits and scale", input: nines[:19] + "." + nines[:19], want: nines[:19] + "." + nines[:19]},
		{name: "zeros before do not count", input: "000" + nines, want: nines},
		{name: "most digits by exponent", input: "1e37", want: "1" + strings.Repeat("0", 37)},
		{name: "a digit more", input: nines + "9", reason: ReasonPriceDigits},
		{name: "a digit more by exponent", input: "1e38", reason: ReasonPriceDigits},
		{name: "zeros behind the point count", input: nines + ".0", reason: ReasonPriceDigits},
		{name: "the greatest exponent", input: "1e999999999999999999999", reason: ReasonPriceDigits},
		{name: "an exponent PostgreSQL refuses for zero too", input: "0e1073741823", reason: ReasonPriceDigits},
		{name: "greatest scale", input: "0.0000000000000000001", want: "0.0000000000000000001"},
		{name: "greatest scale by exponent", input: "1e-19", want: "0.0000000000000000001"},
		{name: "a scale more", input: "0.00000000000000000001", reason: ReasonPriceScale},
		{name: "a scale more by exponent", input: "1.0e-19", reason: ReasonPriceScale},
		{name: "zero with a scale more", input: "0e-20", reason: ReasonPriceScale},
		{name: "the least exponent", input: "1e-999999999999999999999", reason: ReasonPriceScale},
		{name: "an exponent brings the scale back", input: "1.00000000000000000000e5", want: "100000.000000000000000"},

		{name: "a sign alone", input: "-", reason: ReasonPriceSyntax},
		{name: "a point alone", input: ".", reason: ReasonPriceSyntax},
		{name: "an exponent alone", input: "e5", reason: ReasonPriceSyntax},
		{name: "a point and an exponent alone", input: ".e5", reason: ReasonPriceSyntax},
		{name: "an exponent without digits", input: "5e", reason: ReasonPriceSyntax},
		{name: "an exponent with a sign and no digits", input: "5e+", reason: ReasonPriceSyntax},
		{name: "an exponent with a point", input: "5e1.0", reason: ReasonPriceSyntax},
		{name: "two signs", input: "--5", reason: ReasonPriceSyntax},
		{name: "two points", input: "1.2.3", reason: ReasonPriceSyntax},
		{name: "NaN", input: "NaN", reason: ReasonPriceSyntax},
		{name: "infinity", input: "Infinity", reason: ReasonPriceSyntax},
		{name: "hexadecimal", input: "0x1F", reason: ReasonPriceSyntax},
		{name: "underscore", input: "1_000", reason: ReasonPriceSyntax},
		{name: "thousands separator", input: "1,000", reason: ReasonPriceSyntax},
		{name: "space before", input: " 5", reason: ReasonPriceSyntax},
		{name: "space behind", input: "5 ", reason: ReasonPriceSyntax},
		{name: "currency", input: "$5", reason: ReasonPriceSyntax},
		{name: "NUL", input: "5\x00", reason: ReasonPriceSyntax},
		{name: "digits of another script", input: "٥", reason: ReasonPriceSyntax},
		{name: "nonsense behind too many digits", input: nines + nines + "x", reason: ReasonPriceSyntax},

		{name: "decimal comma", comma: true, input: "-1234,50", want: "-1234.50"},
		{name: "decimal comma and exponent", comma: true, input: ",5e1", want: "5"},
		{name: "a point with decimal comma", comma: true, input: "1.5", reason: ReasonPriceSyntaxComma},
		{name: "a point for thousands with decimal comma", comma: true, input: "1.234,50", reason: ReasonPriceSyntaxComma},
		{name: "empty with decimal comma", comma: true, input: "", want: ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, reason := ParseDecimal([]byte(test.input), test.comma)
			if reason != test.reason {
				t.Fatalf("%q: reason %q, not %q", test.input, reason, test.reason)
			}
			if reason != "" {
				if got != (Decimal{}) {
					t.Errorf("%q: refused and yet %+v", test.input, got)
				}
				return
			}
			if got.String() != test.want || got.Null != (test.input == "") {
				t.Errorf("%q gives %q (%+v), not %q", test.input, got, got, test.want)
			}
		})
	}
}

func TestDecimalString(t *testing.T) {
	for _, test := range []struct {
		d    Decimal
		want string
	}{
		{Decimal{}, "0"},
		{Decimal{Null: true}, ""},
		{Decimal{Lo: 7, Scale: 19}, "0.0000000000000000007"},
		{Decimal{Hi: 1}, "18446744073709551616"},
		{Decimal{Hi: 1<<64 - 1, Lo: 1<<64 - 1, Scale: 255, Negative: true}, "-0." + strings.Repeat("0", 255-39) + "340282366920938463463374607431768211455"},
	} {
		if got := test.d.String(); got != test.want {
			t.Errorf("%+v is %q, not %q", test.d, got, test.want)
		}
	}
}

// numerals generates numerals by the grammar of ParseDecimal, many of them
// around its limits.
var numerals = rapid.Custom(func(t *rapid.T) string {
	digits := rapid.StringOfN(rapid.SampledFrom([]rune("00123456789")), 0, 42, -1)
	s := rapid.SampledFrom([]string{"", "", "-", "+"}).Draw(t, "sign") + digits.Draw(t, "digits")
	if rapid.Bool().Draw(t, "point") {
		s += "." + digits.Draw(t, "fraction")
	}
	if rapid.Bool().Draw(t, "exponent") {
		s += rapid.SampledFrom([]string{"e", "E", "e+", "e-", "E-"}).Draw(t, "e") + rapid.StringMatching(`0{0,3}[0-9]{1,2}`).Draw(t, "power")
	}
	return s
})

// math/big is the second opinion: on which numerals are numbers, on their value,
// and on their digits and scale.
func TestParseDecimalAgreesWithBig(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		numeral := numerals.Draw(t, "numeral")
		comma := rapid.Bool().Draw(t, "comma")
		input := numeral
		if comma {
			input = strings.Replace(numeral, ".", ",", 1)
		}
		got, reason := ParseDecimal([]byte(input), comma)

		mantissa, power, _ := strings.Cut(strings.ToLower(numeral), "e")
		want, ok := new(big.Rat).SetString(numeral)
		if !ok || strings.Trim(mantissa, "+-.") == "" {
			if numeral != "" && reason != ReasonPriceSyntax && reason != ReasonPriceSyntaxComma {
				t.Fatalf("%q is no number, and the reason is %q", input, reason)
			}
			return
		}

		exponent := new(big.Int)
		if power != "" {
			exponent.SetString(power, 10)
		}
		_, fraction, _ := strings.Cut(mantissa, ".")
		scale := max(0, len(fraction)-int(exponent.Int64()))
		shift := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)
		coefficient := new(big.Rat).Mul(want, new(big.Rat).SetInt(shift))
		if !coefficient.IsInt() {
			t.Fatalf("%q: the test expects a scale of %d, which is too little", numeral, scale)
		}
		digits := strings.TrimLeft(coefficient.Num().String(), "-0")
		switch {
		case len(digits) > MaxDigits:
			if reason != ReasonPriceDigits {
				t.Fatalf("%q has %d digits, and the reason is %q", input, len(digits), reason)
			}
		case scale > MaxScale:
			if reason != ReasonPriceScale {
				t.Fatalf("%q has scale %d, and the reason is %q", input, scale, reason)
			}
		case reason != "":
			t.Fatalf("%q was refused: %s", input, reason)
		default:
			words := new(big.Int).Lsh(new(big.Int).SetUint64(got.Hi), 64)
			words.Or(words, new(big.Int).SetUint64(got.Lo))
			if words.CmpAbs(coefficient.Num()) != 0 || int(got.Scale) != scale || got.Negative != (want.Sign() < 0) || got.Null {
				t.Fatalf("%q gives %+v, not %s with scale %d", input, got, coefficient.Num(), scale)
			}
			if text := want.FloatString(scale); got.String() != text {
				t.Fatalf("%q prints as %q, not %q", input, got, text)
			}
		}
	})
}

func TestParseUserID(t *testing.T) {
	for _, test := range []struct {
		name, input string
		want        int64
		reason      Reason
	}{
		{name: "digits", input: "9", want: 9},
		{name: "minus", input: "-9", want: -9},
		{name: "plus", input: "+9", want: 9},
		{name: "leading zeros", input: "-00000000000000000000000009", want: -9},
		{name: "zero", input: "-0", want: 0},
		{name: "greatest", input: "9223372036854775807", want: 1<<63 - 1},
		{name: "least", input: "-9223372036854775808", want: -1 << 63},
		{name: "one too great", input: "9223372036854775808", reason: ReasonUserIDRange},
		{name: "one too little", input: "-9223372036854775809", reason: ReasonUserIDRange},
		{name: "20 digits", input: "18446744073709551617", reason: ReasonUserIDRange},
		{name: "far too great", input: strings.Repeat("9", 100), reason: ReasonUserIDRange},
		{name: "empty", input: "", reason: ReasonUserIDEmpty},
		{name: "a sign alone", input: "-", reason: ReasonUserIDSyntax},
		{name: "two signs", input: "-+1", reason: ReasonUserIDSyntax},
		{name: "decimals", input: "9.0", reason: ReasonUserIDSyntax},
		{name: "exponent", input: "9e1", reason: ReasonUserIDSyntax},
		{name: "hexadecimal", input: "0x9", reason: ReasonUserIDSyntax},
		{name: "underscore", input: "1_0", reason: ReasonUserIDSyntax},
		{name: "nonsense behind too many digits", input: strings.Repeat("9", 100) + "x", reason: ReasonUserIDSyntax},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, reason := parseUserID([]byte(test.input))
			if got != test.want || reason != test.reason {
				t.Errorf("%q gives %d, %q, not %d, %q", test.input, got, reason, test.want, test.reason)
			}
		})
	}
}
