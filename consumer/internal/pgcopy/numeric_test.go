package pgcopy_test

import (
	"encoding/binary"
	"encoding/hex"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgtype"
	"pgregory.net/rapid"

	"github.com/streamgauge/streamgauge/consumer/internal/pgcopy"
	"github.com/streamgauge/streamgauge/shared/record"
)

// The bytes are what PostgreSQL 15's numeric_send gives for the same text.
func TestNumeric(t *testing.T) {
	for text, want := range map[string]string{
		"":                      "null",
		"0":                     "0000000000000000",
		"0.00":                  "0000000000000002",
		"-0.00":                 "0000000000000002",
		"50":                    "00010000000000000032",
		"50.00":                 "00010000000000020032",
		"-0.001":                "0001ffff40000003000a",
		"0.0001":                "0001ffff000000040001",
		"0.00001":               "0001fffe0000000503e8",
		"0.0000000000000000001": "0001fffb00000013000a",
		"1.10":                  "0002000000000002000103e8",
		"9999.9999":             "0002000000000004270f270f",
		"10000":                 "00010001000000000001",
		"12345":                 "000200010000000000010929",
		"100000000":             "00010002000000000001",
		"18446744073709551615":  "000500040000000007341a5802e103bb064f",
		"18446744073709551616":  "000500040000000007341a5802e103bb0650",
		"18446744073709551.615": "0006000400000003000120fe1d101cca254f1806",
		"-18446744073709552":    "0005000440000000000120fe1d101cca2550",
		"1e37":                  "0001000900000000000a",
		strings.Repeat("9", 38): "000a0009000000000063270f270f270f270f270f270f270f270f270f",
		"1234567890123456789.0123456789012345678":  "000a000400000013007b11d722c509291a85007b11d722c509291a7c",
		"-9999999999999999999.9999999999999999999": "000a00044000001303e7270f270f270f270f270f270f270f270f2706",
	} {
		t.Run(text, func(t *testing.T) {
			d, reason := record.ParseDecimal([]byte(text), false)
			if reason != "" {
				t.Fatal(reason)
			}
			got := "null"
			if field := priceField(t, appendRow(d)); field != nil {
				got = hex.EncodeToString(field)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error("want -, got +", diff)
			}
		})
	}
}

func appendRow(d record.Decimal) []byte {
	return pgcopy.AppendRow(nil, &record.Row{Line: 2, Timestamp: 946_684_800_000_001, UserID: -9, Price: d})
}

// priceField returns the content of a tuple's last field, nil for null.
func priceField(t interface{ Fatalf(string, ...any) }, tuple []byte) []byte {
	const before = 2 + 8 + 3*12
	if len(tuple) < before+4 {
		t.Fatalf("%d bytes are too few for a tuple", len(tuple))
	}
	length := int32(binary.BigEndian.Uint32(tuple[before:]))
	field := tuple[before+4:]
	if length == -1 && len(field) == 0 {
		return nil
	}
	if int(length) != len(field) {
		t.Fatalf("a field of %d bytes says it has %d", len(field), length)
	}
	return field
}

// What is encoded reads back as the same text, by a decoder that follows
// numeric_recv and numeric_out, and as the same number by pgx's.
func TestAnyNumeric(t *testing.T) {
	types := pgtype.NewMap()
	rapid.Check(t, func(t *rapid.T) {
		d := drawDecimal(t)
		field := priceField(t, appendRow(d))
		if got := numericText(t, field); got != d.String() {
			t.Fatalf("%s comes back as %s", d.String(), got)
		}
		var number pgtype.Numeric
		if err := types.Scan(pgtype.NumericOID, pgtype.BinaryFormatCode, field, &number); err != nil {
			t.Fatal(err)
		}
		want, _ := new(big.Rat).SetString(d.String())
		got := new(big.Rat).SetInt(number.Int)
		power := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(number.Exp, -number.Exp))), nil))
		if number.Exp < 0 {
			power.Inv(power)
		}
		if got.Mul(got, power).Cmp(want) != 0 {
			t.Fatalf("pgx reads %s as %s", d.String(), got.RatString())
		}
	})
}

func drawDecimal(t *rapid.T) record.Decimal {
	digits := rapid.StringMatching(`[1-9][0-9]{0,37}|[1-9]0{0,37}|[1-9](0000|9999){1,9}|0`).Draw(t, "digits")
	scale := rapid.IntRange(0, record.MaxScale).Draw(t, "scale")
	if missing := scale + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	text := digits[:len(digits)-scale]
	if scale > 0 {
		text += "." + digits[len(digits)-scale:]
	}
	if rapid.Bool().Draw(t, "negative") {
		text = "-" + text
	}
	d, reason := record.ParseDecimal([]byte(text), false)
	if reason != "" {
		t.Fatalf("%s: %s", text, reason)
	}
	return d
}

// numericText refuses what numeric_recv refuses, and what numeric_send never
// writes: digits of zero at either end.
func numericText(t *rapid.T, field []byte) string {
	if len(field) < 8 || len(field)%2 != 0 {
		t.Fatalf("%d bytes are no numeric", len(field))
	}
	word := func(i int) int { return int(binary.BigEndian.Uint16(field[2*i:])) }
	count, weight, sign, scale := word(0), int(int16(word(1))), word(2), word(3)
	if len(field) != 8+2*count {
		t.Fatalf("%d digits in %d bytes", count, len(field))
	}
	digit := func(exponent int) int {
		if i := weight - exponent; i >= 0 && i < count {
			return word(4 + i)
		}
		return 0
	}
	for i := range count {
		if d := word(4 + i); d > 9999 || d == 0 && (i == 0 || i == count-1) {
			t.Fatalf("digit %d is %d", i, d)
		}
	}
	var text strings.Builder
	for exponent := max(weight, 0); exponent >= 0; exponent-- {
		writeDigit(&text, digit(exponent))
	}
	whole := strings.TrimLeft(text.String(), "0")
	if whole == "" {
		whole = "0"
	}
	text.Reset()
	for exponent := -1; -exponent <= (scale+3)/4; exponent-- {
		writeDigit(&text, digit(exponent))
	}
	if rest := weight - count + 1; count > 0 && -rest > (scale+3)/4 {
		t.Fatalf("digits beyond the scale of %d", scale)
	}
	fraction := text.String()
	if strings.Trim(fraction[scale:], "0") != "" {
		t.Fatalf("digits beyond the scale of %d: %s", scale, fraction)
	}
	if scale > 0 {
		whole += "." + fraction[:scale]
	}
	switch sign {
	case 0:
	case 0x4000:
		whole = "-" + whole
	default:
		t.Fatalf("sign %#x", sign)
	}
	return whole
}

func writeDigit(text *strings.Builder, digit int) {
	for _, power := range []int{1000, 100, 10, 1} {
		text.WriteByte('0' + byte(digit/power%10))
	}
}
