package record

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"
)

// fuzzSeeds are the shapes of input that the rules of cutting are about.
var fuzzSeeds = []string{
	"",
	"timestamp,price,user_id\n1/10/2012,50,9\n1/11/2012,,7\r\n",
	"2012-01-10T13:45:56.789012345-05:00,-1234.5678e-2,9223372036854775807",
	"\xef\xbb\xbf\"1/10/2012\",\" 50.00 \",\"9\"\r\n\r\n\n",
	"a,\"b\r\nc\"\"d\"\ne,\"open\n1/10/2012,50,9\n",
	"a\"b,\"c\"d,\"e\n\"f\r",
	"\"" + strings.Repeat("\n", MaxQuotedLines) + "\"",
	"\\.\n\x00,\xff,\x1b[31m\n31/12/2012;5,0;-1\r\r\n",
	"\"\"\"\"\"\n\"\"\n,\"\"\"\n",
}

func FuzzCut(f *testing.F) {
	for _, seed := range fuzzSeeds {
		f.Add([]byte(seed), byte(','), uint16(3), uint32(0))
	}
	f.Add([]byte("a;\"\nb\";c\n"), byte(';'), uint16(1), uint32(MaxLength-3))
	f.Add([]byte("\",\"x\r\ny\n"), byte(','), uint16(4096), uint32(2*MaxLength))
	f.Fuzz(func(t *testing.T, input []byte, delimiter byte, size uint16, stretch uint32) {
		if prices(func(f *Format) { f.Delimiter = string(rune(delimiter)) }).Validate() != nil {
			return // no delimiter: a Format that names it is refused, which tests of its own show
		}
		// Long runs, which the fuzzer would not come by, reach the limits.
		if i := bytes.IndexByte(input, 'x'); i >= 0 {
			input = slices.Concat(input[:i], bytes.Repeat([]byte("x"), int(stretch%(3*MaxLength))), input[i:])
		}
		want, wantTrailing := naive(input, delimiter, 1)

		got, trailing := collect(t, NewBodyCutter(input, delimiter, 1))
		if !slices.Equal(want, got) || trailing != wantTrailing {
			t.Fatalf("body: %d blank lines at the end, not %d; %s", trailing, wantTrailing, firstDifference(want, got))
		}
		checkConserved(t, input, got, trailing)

		reader := &chunks{rest: input, sizes: []int{int(size) + 1, 1}, withEOF: size%2 == 0}
		got, trailing = collect(t, NewCutter(reader, delimiter, 1))
		if !slices.Equal(want, got) || trailing != wantTrailing {
			t.Fatalf("stream: %d blank lines at the end, not %d; %s", trailing, wantTrailing, firstDifference(want, got))
		}

		most, room := func() int { return int(size % 700) }, func() int { return int(stretch % (2 * MaxLength)) }
		reader = &chunks{rest: input, sizes: []int{int(size) + 1, 1}}
		got, trailing = collectLines(t, NewCutter(reader, delimiter, 1), most, room)
		if !slices.Equal(want, got) || trailing != wantTrailing {
			t.Fatalf("by lines: %d blank lines at the end, not %d; %s", trailing, wantTrailing, firstDifference(want, got))
		}

		var body []byte
		for _, rec := range got {
			if rec.Fault == TooLong {
				return
			}
			body = append(body, bytes.Repeat([]byte("\n"), int(rec.Blank))...)
			body = append(body, rec.Text...)
		}
		if again, _ := collect(t, NewBodyCutter(body, delimiter, 1)); !slices.Equal(again, got) {
			t.Fatalf("cut again: %s", firstDifference(got, again))
		}
		compareWithCSV(t, input, delimiter)
	})
}

func FuzzParse(f *testing.F) {
	formats := []string{"", "%d/%m/%Y", "%Y-%m-%d %H:%M:%S.%f%z", "%b %e %Y %I:%M %p", "%G-W%V-%u", "%Y%j", "%s", "%c"}
	zones := []string{"", "America/Bogota", "America/New_York", "Pacific/Apia"}
	for i, seed := range fuzzSeeds {
		f.Add([]byte(seed), uint8(i), uint8(i), i%2 == 0)
	}
	f.Add([]byte("10/01/2012,50,9\n"), uint8(1), uint8(1), false)
	f.Add([]byte("2012-03-11 02:30:00.5+05:30,1e-3,9\n"), uint8(2), uint8(2), false)
	f.Add([]byte("Feb 31 2012 1:00 PM,\"1,5\",9\n"), uint8(3), uint8(0), true)
	f.Add([]byte("2012-W53-7,0e9,+0\n"), uint8(4), uint8(3), false)
	f.Add([]byte("12/30/2011 12:00,0.0000000000000000001,9\n"), uint8(0), uint8(3), false)
	f.Fuzz(func(t *testing.T, input []byte, format, timezone uint8, comma bool) {
		how := prices(func(f *Format) {
			f.TimestampFormat = formats[int(format)%len(formats)]
			f.Timezone = zones[int(timezone)%len(zones)]
			f.DecimalComma = comma
		})
		checkParseLine(t, how, input)
		parser := newParser(t, how)
		cutter := NewBodyCutter(input, ',', 1)
		line := int64(0)
		for {
			rec, err := cutter.Next()
			if err != nil {
				return
			}
			if rec.Line <= line {
				t.Fatalf("line %d behind line %d", rec.Line, line)
			}
			line = rec.Line
			before := string(rec.Bytes)
			row, reject := parser.Parse(rec)
			if string(rec.Bytes) != before {
				t.Fatalf("%q became %q", before, rec.Bytes)
			}
			if reject != nil {
				if reject.Line != line || reject.Reason == "" {
					t.Fatalf("line %d: %+v", line, *reject)
				}
				continue
			}
			checkRow(t, rec, row)
		}
	})
}

// checkRow checks what holds for every good row.
func checkRow(t *testing.T, rec Record, row Row) {
	t.Helper()
	if row.Line != rec.Line || rec.Fault != 0 {
		t.Fatalf("line %d, fault %q: %+v", rec.Line, rec.Fault, row)
	}
	day := 24 * time.Hour
	first, last := time.Date(firstYear, 1, 1, 0, 0, 0, 0, time.UTC).Add(-day), time.Date(lastYear+1, 1, 1, 0, 0, 0, 0, time.UTC).Add(day)
	if instant := time.UnixMicro(row.Timestamp); instant.Before(first) || instant.After(last) {
		t.Fatalf("line %d: timestamp %s", rec.Line, instant.UTC())
	}
	if row.Price.Null {
		if row.Price != (Decimal{Null: true}) {
			t.Fatalf("line %d: null is %+v", rec.Line, row.Price)
		}
		return
	}
	if row.Price.Scale > MaxScale || row.Price.Negative && row.Price.Hi == 0 && row.Price.Lo == 0 {
		t.Fatalf("line %d: price %+v", rec.Line, row.Price)
	}
	again, reason := ParseDecimal([]byte(row.Price.String()), false)
	if reason != "" || again != row.Price {
		t.Fatalf("line %d: price %+v prints as %q, which is %+v, %q", rec.Line, row.Price, row.Price, again, reason)
	}
}
