package record

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// checkParseLine reads lines by ParseLine and, one by one, by the Parse of a
// Parser that has read no other.
func checkParseLine(t failer, f Format, input []byte) {
	t.Helper()
	parser := newParser(t, f)
	cutter := NewBodyCutter(input, f.Comma(), 1)
	for {
		line := cutter.Line()
		lines, _ := cutter.Lines(1000, len(input))
		for len(lines) > 0 {
			var got Row
			end, reject := parser.ParseLine(lines, line, &got)
			whole := bytes.IndexByte(lines, '\n') + 1
			want, wantReject := newParser(t, f).Parse(Record{Bytes: lines[:whole], Line: line})
			switch {
			case end != whole:
				t.Fatalf("%.100q: line ends at %d, not %d", lines, end, whole)
			case (reject == nil) != (wantReject == nil) || reject != nil && *reject != *wantReject:
				t.Fatalf("%q: reject %+v, want %+v", lines[:end], reject, wantReject)
			case reject == nil && got != want:
				t.Fatalf("%q: %+v, want %+v", lines[:end], got, want)
			}
			lines = lines[end:]
			line++
		}
		if _, err := cutter.Next(); err != nil {
			return
		}
	}
}

func newParser(t failer, f Format) *Parser {
	t.Helper()
	parser, err := NewParser(f)
	if err != nil {
		t.Fatalf("%+v: %v", f, err)
	}
	return parser
}

// A line means the same whether it is read among lines or by itself, and
// whatever stood on the lines before it.
func TestParseLineIsParse(t *testing.T) {
	field := rapid.OneOf(
		rapid.SampledFrom([]string{
			"", " ", "1/10/2012", "1/10/2012", "01/10/2012", "11/10/2012", "1/1/2012", "1/1/20123", "1/1/2012 1:02", "2012-01-10",
			"2012-01-10T13:45:56.789Z", "2012-01-1", "2012-13-10", "50", " 50 ", "0", "007", "50.00", ".5", "5.", ".", "1.2.3", "-0", "+7", "1e3",
			"9999999999999999999", "99999999999999999999", "9223372036854775807", "9223372036854775808", "0.0000000000000000001", "5,0", "NaN", "\r", "\x00\xff",
		}),
		rapid.StringMatching(`[0-9./,;\-\r ]{0,12}`),
	)
	rapid.Check(t, func(t *rapid.T) {
		f := prices(func(f *Format) {
			f.Delimiter = rapid.SampledFrom([]string{",", ";", "\t"}).Draw(t, "delimiter")
			f.DecimalComma = rapid.Bool().Draw(t, "decimal comma") && f.Delimiter != ","
			f.Fields = rapid.IntRange(3, 5).Draw(t, "fields")
			places := rapid.Permutation([]int{0, 1, 2, 3, 4}[:f.Fields]).Draw(t, "columns")
			f.Timestamp, f.Price, f.UserID = places[0], places[1], places[2]
			f.Timezone = rapid.SampledFrom([]string{"", "America/Bogota"}).Draw(t, "zone")
		})
		var input strings.Builder
		for range rapid.IntRange(1, 20).Draw(t, "lines") {
			fields := f.Fields
			if rapid.IntRange(0, 9).Draw(t, "another number of fields") == 0 {
				fields = rapid.IntRange(1, 7).Draw(t, "fields")
			}
			input.WriteString(strings.Join(rapid.SliceOfN(field, fields, fields).Draw(t, "line"), f.Delimiter))
			input.WriteString(rapid.SampledFrom([]string{"\n", "\n", "\r\n"}).Draw(t, "line end"))
		}
		checkParseLine(t, f, []byte(input.String()))
	})
}
