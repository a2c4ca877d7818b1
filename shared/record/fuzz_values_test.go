package record

import (
	"bytes"
	"encoding/csv"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/itchyny/timefmt-go"
)

func FuzzSplit(f *testing.F) {
	for _, seed := range []string{
		"", ",", "1/10/2012,50,9", `"a","b""c",""`, `a"b,c`, `"a"b,c`, `"a,b`, `""""`, `"""`, ` "a" ,"b"`, "\"a\r\nb\",\x00,\xff", `,"`, `"",""`, "\\.",
	} {
		f.Add([]byte(seed), byte(','))
	}
	f.Add([]byte(`a;"b;c";d`), byte(';'))
	f.Fuzz(func(t *testing.T, raw []byte, delimiter byte) {
		if prices(func(f *Format) { f.Delimiter = string(rune(delimiter)) }).Validate() != nil {
			return
		}
		before := slices.Clone(raw)
		fields, reason := SplitFields(raw, delimiter, nil)
		if !bytes.Equal(before, raw) {
			t.Fatalf("%q became %q", before, raw)
		}
		want, wantReason := naiveSplit(raw, delimiter)
		if reason != wantReason || !slices.EqualFunc(want, fields, func(a string, b []byte) bool { return a == string(b) }) {
			t.Fatalf("%q: %q, %q; want %q, %q", raw, fields, reason, want, wantReason)
		}
		// Fields written by encoding/csv split into themselves. It writes CRLF
		// where it finds one, and so do files.
		if reason != "" || bytes.ContainsAny(raw, "\r") {
			return
		}
		var written bytes.Buffer
		w := csv.NewWriter(&written)
		w.Comma = rune(delimiter)
		if err := w.Write(want); err != nil {
			t.Fatal(err)
		}
		w.Flush()
		again, reason := SplitFields(bytes.TrimSuffix(written.Bytes(), []byte("\n")), delimiter, nil)
		if reason != "" || !slices.EqualFunc(want, again, func(a string, b []byte) bool { return a == string(b) }) {
			t.Fatalf("%q was written as %q, which splits into %q, %q", want, written.Bytes(), again, reason)
		}
	})
}

// naiveSplit splits by the letter of the package documentation, a byte at a time.
func naiveSplit(raw []byte, delimiter byte) (fields []string, reason Reason) {
	i := 0
	for {
		var field []byte
		if i < len(raw) && raw[i] == '"' {
			for i++; ; i++ {
				if i >= len(raw) {
					return fields, ReasonUnclosedPart
				}
				if raw[i] == '"' {
					if i+1 == len(raw) || raw[i+1] != '"' {
						break
					}
					i++
				}
				field = append(field, raw[i])
			}
			if i++; i < len(raw) && raw[i] != delimiter {
				return fields, ReasonAfterQuote
			}
		} else {
			for ; i < len(raw) && raw[i] != delimiter; i++ {
				field = append(field, raw[i])
			}
			if bytes.IndexByte(field, '"') >= 0 {
				return fields, ReasonStrayQuote
			}
		}
		fields = append(fields, string(field))
		if i >= len(raw) {
			return fields, ""
		}
		i++
	}
}

var numeric = regexp.MustCompile(`^([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?$`)

func FuzzDecimal(f *testing.F) {
	for _, seed := range []string{
		"", "50", "-50.00", "+.5", "5.", ".", "-", "1e3", "5.00E+1", "1e-19", "0e-20", "1e38", "0e99999", "1e99999999999999999999",
		"99999999999999999999999999999999999999", "18446744073709551616.0000000000000000001", "NaN", "Infinity", "0x1p-2", "1_000",
		"1e1073741822", "1e1073741823", "1e-1073741823", "00000000000000000000000000000000000000000000001", "\uff15", "1.5e", " 1",
	} {
		f.Add(seed, false)
		f.Add(strings.ReplaceAll(seed, ".", ","), true)
	}
	f.Fuzz(func(t *testing.T, text string, comma bool) {
		got, reason := ParseDecimal([]byte(text), comma)
		want, wantReason := naiveDecimal(text, comma)
		if reason != wantReason || reason == "" && (got.Null != (want == "") || got.String() != want) {
			t.Fatalf("%q: %q, %q; want %q, %q", text, got, reason, want, wantReason)
		}
	})
}

// naiveDecimal works on the digits as text: it returns the number as
// PostgreSQL prints it.
func naiveDecimal(text string, comma bool) (string, Reason) {
	syntax := ReasonPriceSyntax
	if text == "" {
		return "", ""
	}
	if comma {
		syntax = ReasonPriceSyntaxComma
		if strings.Contains(text, ".") {
			return "", syntax
		}
		text = strings.Replace(text, ",", ".", 1)
	}
	m := numeric.FindStringSubmatch(text)
	if m == nil || m[2]+m[3] == "" {
		return "", syntax
	}
	digits, scale := m[2]+m[3], int64(len(m[3]))
	significant := strings.TrimLeft(digits, "0")
	if m[4] != "" {
		exponent, ok := new(big.Int).SetString(m[4], 10)
		if !ok {
			return "", syntax
		}
		switch limit := big.NewInt(math.MaxInt32 / 2); {
		case exponent.Cmp(limit) >= 0:
			return "", ReasonPriceDigits
		case exponent.CmpAbs(limit) >= 0:
			exponent.Neg(limit)
		}
		scale -= exponent.Int64()
	}
	if scale < 0 && significant != "" {
		if int64(len(significant))-scale > MaxDigits {
			return "", ReasonPriceDigits
		}
		significant += strings.Repeat("0", int(-scale))
	}
	scale = max(0, scale)
	switch {
	case len(significant) > MaxDigits:
		return "", ReasonPriceDigits
	case scale > MaxScale:
		return "", ReasonPriceScale
	}
	whole := strings.Repeat("0", max(0, int(scale)+1-len(significant))) + significant
	if scale > 0 {
		whole = whole[:len(whole)-int(scale)] + "." + whole[len(whole)-int(scale):]
	}
	if m[1] == "-" && significant != "" {
		whole = "-" + whole
	}
	return whole, ""
}

var integer = regexp.MustCompile(`^[+-]?[0-9]+$`)

func FuzzUserID(f *testing.F) {
	for _, seed := range []string{
		"", "9", "-9", "+9", "007", "-0", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
		"18446744073709551616", "18446744073709551625", "92233720368547758080", "1e3", "0x9", "9.0", "-", "+", "\uff19", "9\x00", "--9",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, reason := parseUserID([]byte(text))
		want, err := strconv.ParseInt(text, 10, 64)
		var wantReason Reason
		switch {
		case text == "":
			wantReason = ReasonUserIDEmpty
		case !integer.MatchString(text):
			wantReason = ReasonUserIDSyntax
		case err != nil:
			wantReason = ReasonUserIDRange
		}
		if reason != wantReason || reason == "" && got != want {
			t.Fatalf("%q: %d, %q; want %d, %q", text, got, reason, want, wantReason)
		}
	})
}

// The built-in formats, as far as regular expressions tell: a date, then a time
// of day, then a zone.
var (
	slashDate = regexp.MustCompile(`^([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})`)
	isoDate   = regexp.MustCompile(`^([0-9]{4})-([0-9]{2})-([0-9]{2})`)
	clock     = regexp.MustCompile(`^[ tT]([0-9]{1,2}):([0-9]{2})(:([0-9]{2})(\.[0-9]+)?)?`)
	offsets   = regexp.MustCompile(`^([+-])([0-9]{2})(:?([0-9]{2}))?$`)
)

func FuzzTimestamp(f *testing.F) {
	for _, seed := range []string{
		"", "1/10/2012", "01/10/2012", "13/1/2012", "2/29/2012", "2/29/2011", "2012-01-10", "2012-02-30", "0000-01-01", "9999-12-31T24:00",
		"2012-01-10T13:45:56Z", "2012-01-10 13:45", "1/10/2012 1:05", "2012-01-10T1:05", "2012-06-30T23:59:60.5Z", "2012-01-10T24:00:00.1",
		"2012-01-10T12:00:00.9999995", "2012-01-10T12:00:00.1234565+15:59", "2012-01-10T12:00-16:00", "2012-01-10T12:00+05:60", "2012-01-10T12:00+5",
		"2012-01-10T12:00:00.", "2012-01-10T", "2012-01-10Z", "1/10/12", "infinity", "\uff11/1/2012", "2012-01-10T12:00 Z",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, reason := new(Parser).parseTimestamp([]byte(text))
		want, wantReason := naiveTimestamp(text)
		if reason != wantReason || reason == "" && got != want {
			t.Fatalf("%q: %s, %q; want %s, %q", text, time.UnixMicro(got).UTC(), reason, time.UnixMicro(want).UTC(), wantReason)
		}
	})
}

func naiveTimestamp(text string) (int64, Reason) {
	if text == "" {
		return 0, ReasonTimestampEmpty
	}
	var year, month, day int
	m := isoDate.FindStringSubmatch(text)
	iso := m != nil
	if iso {
		year, month, day = number(m[1]), number(m[2]), number(m[3])
	} else {
		if m = slashDate.FindStringSubmatch(text); m == nil {
			return 0, ReasonTimestampSyntax
		}
		year, month, day = number(m[3]), number(m[1]), number(m[2])
	}
	text = text[len(m[0]):]
	at := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if year < 1 || at.Year() != year || int(at.Month()) != month || at.Day() != day {
		return 0, ReasonTimestampDate
	}
	if text == "" {
		return at.UnixMicro(), ""
	}
	m = clock.FindStringSubmatch(text)
	if m == nil || iso && len(m[1]) == 1 {
		return 0, ReasonTimestampSyntax
	}
	text = text[len(m[0]):]
	if m[3] == "" && strings.HasPrefix(text, ":") || m[3] != "" && m[5] == "" && strings.HasPrefix(text, ".") {
		return 0, ReasonTimestampSyntax // a second or a fraction that was begun
	}
	hour, minute, second := number(m[1]), number(m[2]), number(m[4])
	var micros int64
	if len(m[5]) > 1 {
		fraction, err := strconv.ParseFloat("0"+m[5], 64)
		if err != nil {
			return 0, ReasonTimestampSyntax
		}
		micros = int64(math.RoundToEven(fraction * 1e6))
	}
	of24 := time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second + time.Duration(micros)*time.Microsecond
	if hour > 24 || minute > 59 || second > 60 || hour == 24 && of24 > 24*time.Hour {
		return 0, ReasonTimestampTime
	}
	at = at.Add(of24)
	if text == "" || text == "Z" || text == "z" {
		return at.UnixMicro(), ""
	}
	if m = offsets.FindStringSubmatch(text); m == nil {
		return 0, ReasonTimestampSyntax
	}
	east := time.Duration(number(m[2]))*time.Hour + time.Duration(number(m[4]))*time.Minute
	if number(m[2]) > 15 || number(m[4]) > 59 {
		return 0, ReasonTimestampZone
	}
	if m[1] == "-" {
		east = -east
	}
	return at.Add(-east).UnixMicro(), ""
}

// number reads what a regular expression has found to be few digits, or nothing.
func number(digits string) int {
	n, err := strconv.Atoi("0" + digits)
	if err != nil {
		panic(err)
	}
	return n
}

// FuzzTimestampFormat tries formats nobody has thought of. What one that is
// accepted prints of a time it reads as what it says of that time, weekdays
// apart.
func FuzzTimestampFormat(f *testing.F) {
	for _, format := range []string{"%d/%m/%Y", "%Y-%m-%d %H:%M:%S.%f%z", "%b %e %Y %I:%M %p", "%G-W%V-%u", "%Y%j", "%s", "%c", "%F %T", "%y%m%d", "%%%Y%%%j", "%Z", "%", "", "%A %d %B %Y", "%Y-%m-%d %l%P"} {
		f.Add(format, "10/01/2012", int64(1326153600))
		f.Add(format, "Jan 31 2012 1:00 PM", int64(1330473599))
	}
	f.Fuzz(func(t *testing.T, format, text string, seconds int64) {
		parser, err := NewParser(prices(func(f *Format) { f.TimestampFormat = format }))
		if err != nil || format == "" {
			return
		}
		if micros, reason := parser.parseTimestamp([]byte(text)); reason == "" {
			checkRow(t, Record{}, Row{Timestamp: micros, Price: Decimal{Null: true}})
		}
		// Within the years that two digits can say.
		at := time.Unix(int64(uint64(seconds)%(60*365*secondsPerDay)), 0).UTC()
		printed := timefmt.Format(at, parser.layout.format)
		read, reason := parser.layout.parse(trim([]byte(printed)))
		if reason != "" {
			return // as %H0%M, which can't read its own 10 o'clock
		}
		directives, err := splitFormat(format)
		if err != nil {
			t.Fatal(err)
		}
		compared := strings.Join(slices.DeleteFunc(directives, func(d string) bool {
			return d == "%a" || d == "%A" || d == "%u" || d == "%w"
		}), "")
		want, got := timefmt.Format(at, compared), timefmt.Format(time.Unix(read.seconds, read.micros*1000).UTC(), compared)
		if want != got {
			t.Fatalf("%q prints %s as %q, which it reads as %q, %+v", format, at, printed, got, read)
		}
	})
}
