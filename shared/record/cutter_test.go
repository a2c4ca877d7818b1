package record

import (
	"bytes"
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestCutter(t *testing.T) {
	x := func(n int) string { return strings.Repeat("x", n) }
	lines := func(n int) string { return strings.Repeat("\n", n) }

	for _, test := range []struct {
		name      string
		input     string
		want      []cut // Length and Digest are checked below
		trailing  int64
		delimiter byte // a comma if 0
	}{
		{name: "no input"},
		{name: "LF", input: "a\nb\n", want: []cut{{Text: "a\n", Line: 1}, {Text: "b\n", Line: 2}}},
		{name: "CRLF", input: "a\r\nb\r\n", want: []cut{{Text: "a\r\n", Line: 1}, {Text: "b\r\n", Line: 2}}},
		{name: "no line end at the end", input: "a\nb", want: []cut{{Text: "a\n", Line: 1}, {Text: "b", Line: 2}}},
		{name: "CR at the end", input: "a\nb\r", want: []cut{{Text: "a\n", Line: 1}, {Text: "b\r", Line: 2}}},
		{name: "CR within a line is data", input: "a\rb\n", want: []cut{{Text: "a\rb\n", Line: 1}}},
		{name: "only one CR belongs to the line end", input: "\r\r\n", want: []cut{{Text: "\r\r\n", Line: 1}}},

		{name: "blank lines are no records", input: "\n\r\na\n\nb", want: []cut{{Text: "a\n", Line: 3, Blank: 2}, {Text: "b", Line: 5, Blank: 1}}},
		{name: "blank lines at the end", input: "a\n\n\r\n", want: []cut{{Text: "a\n", Line: 1}}, trailing: 2},
		{name: "a lone CR at the end is blank", input: "a\n\r", want: []cut{{Text: "a\n", Line: 1}}, trailing: 1},
		{name: "a line of spaces is a record", input: " \n", want: []cut{{Text: " \n", Line: 1}}},
		{name: "blank lines alone", input: "\n\n", trailing: 2},
		{name: "blank lines in quotes are data", input: "\"\n\n\"\n", want: []cut{{Text: "\"\n\n\"\n", Line: 1}}},

		{name: "line end in quotes", input: "a,\"b\nc\"\nd\n", want: []cut{{Text: "a,\"b\nc\"\n", Line: 1}, {Text: "d\n", Line: 3}}},
		{name: "CRLF in quotes", input: "\"a\r\nb\"\r\nc", want: []cut{{Text: "\"a\r\nb\"\r\n", Line: 1}, {Text: "c", Line: 3}}},
		{name: "doubled quote", input: "\"a\"\"\n\"\nb\n", want: []cut{{Text: "\"a\"\"\n\"\n", Line: 1}, {Text: "b\n", Line: 3}}},
		{name: "empty quotes", input: "\"\"\n\"\",\"\"\n", want: []cut{{Text: "\"\"\n", Line: 1}, {Text: "\"\",\"\"\n", Line: 2}}},
		{name: "quote in a field that does not begin with one", input: "a\"b\nc\"\n", want: []cut{{Text: "a\"b\n", Line: 1}, {Text: "c\"\n", Line: 2}}},
		{name: "quote behind a space", input: " \"a\nb\"\n", want: []cut{{Text: " \"a\n", Line: 1}, {Text: "b\"\n", Line: 2}}},
		{name: "text behind a closing quote", input: "\"a\"b\"\nc\n", want: []cut{{Text: "\"a\"b\"\n", Line: 1}, {Text: "c\n", Line: 2}}},
		{name: "a field opens behind text behind a closing quote", input: "\"a\"b,\"\n\"\n", want: []cut{{Text: "\"a\"b,\"\n\"\n", Line: 1}}},
		{name: "closing quote at the end of the input", input: "a,\"b\"", want: []cut{{Text: "a,\"b\"", Line: 1}}},
		{name: "closing quote and CR at the end of the input", input: "\"b\"\r", want: []cut{{Text: "\"b\"\r", Line: 1}}},
		{name: "a comma is data with another delimiter", delimiter: ';', input: "a,\"b\nc;\"\n\"\n", want: []cut{{Text: "a,\"b\n", Line: 1}, {Text: "c;\"\n\"\n", Line: 2}}},
		{name: "any other byte is data", input: "\x00,\xff\xfe,\x1b[0m\n", want: []cut{{Text: "\x00,\xff\xfe,\x1b[0m\n", Line: 1}}},

		{name: "quote open at the end of the input", input: "a,\"b\nc\nd", want: []cut{{Text: "a,\"b\n", Line: 1, Fault: OpenQuote}, {Text: "c\n", Line: 2}, {Text: "d", Line: 3}}},
		{name: "quote open on the last line", input: "a\n\"b", want: []cut{{Text: "a\n", Line: 1}, {Text: "\"b", Line: 2, Fault: OpenQuote}}},
		{name: "quote as the last byte", input: "\"", want: []cut{{Text: "\"", Line: 1, Fault: OpenQuote}}},
		{name: "doubled quote as the last bytes", input: "\"a\"\"", want: []cut{{Text: "\"a\"\"", Line: 1, Fault: OpenQuote}}},
		{
			name:  "a record with line ends in quotes before the open one",
			input: "\"a\nb\",\"c\nd\n",
			want:  []cut{{Text: "\"a\nb\",\"c\n", Line: 1, Fault: OpenQuote}, {Text: "d\n", Line: 3}},
		},
		{name: "blank lines behind an open quote", input: "\"a\n\n\r\nb\n", want: []cut{{Text: "\"a\n", Line: 1, Fault: OpenQuote}, {Text: "b\n", Line: 4, Blank: 2}}},
		{name: "every line opens a quote that the next one ends", input: "\"a\n\"b\n\"c\n", want: []cut{{Text: "\"a\n\"b\n", Line: 1}, {Text: "\"c\n", Line: 3, Fault: OpenQuote}}},

		{
			name:  "a quote on as many lines as it may",
			input: "\"" + lines(MaxQuotedLines-1) + "\"\na",
			want:  []cut{{Text: "\"" + lines(MaxQuotedLines-1) + "\"\n", Line: 1}, {Text: "a", Line: MaxQuotedLines + 1}},
		},
		{
			name:  "a quote on a line more",
			input: "\"" + lines(MaxQuotedLines) + "x\"\na",
			want:  []cut{{Text: "\"\n", Line: 1, Fault: OpenQuote}, {Text: "x\"\n", Line: MaxQuotedLines + 1, Blank: MaxQuotedLines - 1}, {Text: "a", Line: MaxQuotedLines + 2}},
		},
		{
			name:  "lines count from the quote that is open",
			input: "\"" + lines(60) + "\",\"" + lines(60) + "\"\n",
			want:  []cut{{Text: "\"" + lines(60) + "\",\"" + lines(60) + "\"\n", Line: 1}},
		},
		{
			name:  "a quote with as many bytes as it may have",
			input: "\"\n" + x(MaxQuotedBytes-1) + "\"\n",
			want:  []cut{{Text: "\"\n" + x(MaxLength-2), Line: 1, Fault: TooLong}},
		},
		{
			name:  "a quote with a byte more",
			input: "\"\n" + x(MaxQuotedBytes) + "\"\n",
			want:  []cut{{Text: "\"\n", Line: 1, Fault: OpenQuote}, {Text: x(MaxLength), Line: 2, Fault: TooLong}},
		},
		{
			name:  "a limit that falls between quotes",
			input: "\"\n" + x(MaxQuotedBytes-4) + "\n,\"\"\"\nb\"\nc\n",
			want:  []cut{{Text: "\"\n", Line: 1, Fault: OpenQuote}, {Text: x(MaxQuotedBytes-4) + "\n", Line: 2}, {Text: ",\"\"\"\nb\"\n", Line: 3}, {Text: "c\n", Line: 5}},
		},
		{
			name:  "bytes count from the quote that is open",
			input: "\"" + strings.Repeat("\r\n", 50) + "\",\"\n" + x(MaxQuotedBytes) + "\"\n",
			want:  []cut{{Text: "\"" + strings.Repeat("\r\n", 50) + "\",\"\n", Line: 1, Fault: OpenQuote}, {Text: x(MaxLength), Line: 52, Fault: TooLong}},
		},
		{
			name:  "a CRLF in quotes counts as one byte",
			input: "\"\r\n" + x(MaxQuotedBytes-1) + "\"\n",
			want:  []cut{{Text: "\"\r\n" + x(MaxLength-3), Line: 1, Fault: TooLong}},
		},

		{name: "as long as may be", input: x(MaxLength) + "\r\n", want: []cut{{Text: x(MaxLength) + "\r\n", Line: 1}}},
		{name: "as long as may be, at the end", input: x(MaxLength) + "\r", want: []cut{{Text: x(MaxLength) + "\r", Line: 1}}},
		{
			name:  "a byte longer",
			input: "a\n" + x(MaxLength+1) + "\r\na\n" + x(MaxLength+1) + "\nb",
			want:  []cut{{Text: "a\n", Line: 1}, {Text: x(MaxLength), Line: 2, Fault: TooLong}, {Text: "a\n", Line: 3}, {Text: x(MaxLength), Line: 4, Fault: TooLong}, {Text: "b", Line: 5}},
		},
		{
			name:  "too long with a quote open that never closes on its line",
			input: x(MaxLength) + ",\"\n" + "b\n",
			want:  []cut{{Text: x(MaxLength), Line: 1, Fault: TooLong}, {Text: "b\n", Line: 2}},
		},
		{
			name:  "too long for a quote that opens late and is never closed",
			input: "\"" + x(50_000) + "\n\"," + x(50_000) + ",\"y\nb\n\"\"c\n",
			want:  []cut{{Text: "\"" + x(50_000) + "\n\"," + x(MaxLength-50_004), Line: 1, Fault: TooLong}, {Text: "b\n", Line: 3}, {Text: "\"\"c\n", Line: 4}},
		},
		{
			name:  "a quote whose own line is too long",
			input: "\"" + x(MaxLength) + "\nb\n",
			want:  []cut{{Text: "\"" + x(MaxLength-1), Line: 1, Fault: TooLong}, {Text: "b\n", Line: 2}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.delimiter == 0 {
				test.delimiter = ','
			}
			options := cmp.Options{cmpopts.IgnoreFields(cut{}, "Length", "Digest"), cmpopts.EquateEmpty()}

			got, trailing := collect(t, NewBodyCutter([]byte(test.input), test.delimiter, 1))
			if diff := cmp.Diff(test.want, got, options); diff != "" || trailing != test.trailing {
				t.Errorf("body: %d blank lines at the end, not %d:\n%s", trailing, test.trailing, diff)
			}
			checkConserved(t, []byte(test.input), got, trailing)

			streamed, trailing := collect(t, NewCutter(strings.NewReader(test.input), test.delimiter, 1))
			if diff := cmp.Diff(got, streamed); diff != "" || trailing != test.trailing {
				t.Errorf("stream: %d blank lines at the end, not %d:\n%s", trailing, test.trailing, diff)
			}
		})
	}
}

func TestCutterKeepsLengthAndDigest(t *testing.T) {
	x := strings.Repeat("x", MaxLength)
	for _, test := range []struct {
		name  string
		input string
		raw   string // of the first record
	}{
		{"LF", x + "yz\na", x + "yz"},
		{"CRLF", x + "yz\r\na", x + "yz"},
		{"end of the input", x + "yz", x + "yz"},
		{"CR at the end of the input", x + "yz\r", x + "yz"},
		{"CR within", x + "\ryz\na", x + "\ryz"},
		{"longer than the buffer", x + x + x + x + x + x + "\r\na", x + x + x + x + x + x},
		{"quoted", "\"" + x[:50_000] + "\r\n\",\"" + x[:50_000] + "\r\n\"\r\na", "\"" + x[:50_000] + "\r\n\",\"" + x[:50_000] + "\r\n\""},
		{"up to the line where a quote opened", x + x + x + x + x + ",\"y\r\nb\r\nc", x + x + x + x + x + ",\"y"},
	} {
		for name, cutter := range map[string]*Cutter{
			"body":   NewBodyCutter([]byte(test.input), ',', 1),
			"stream": NewCutter(strings.NewReader(test.input), ',', 1),
			"pieces": NewCutter(&chunks{rest: []byte(test.input), sizes: []int{1, 4095, 0, 7}}, ',', 1),
		} {
			t.Run(test.name+", "+name, func(t *testing.T) {
				rec, err := cutter.Next()
				if err != nil {
					t.Fatal(err)
				}
				want := cut{Text: test.raw[:MaxLength], Line: 1, Fault: TooLong, Length: int64(len(test.raw)), Digest: sha256.Sum256([]byte(test.raw))}
				if diff := cmp.Diff(want, keep(cutter, rec)); diff != "" {
					t.Error(diff)
				}
				if !bytes.Equal(rec.Raw(), rec.Bytes) {
					t.Error("Raw is not Bytes")
				}
			})
		}
	}
}

func TestCutterDigestsEachLongRecord(t *testing.T) {
	var input string
	var want [][sha256.Size]byte
	for _, letter := range []string{"a", "b", "c"} {
		raw := strings.Repeat(letter, 2*bufferSize)
		input += raw + "\n" + letter + "\n"
		want = append(want, sha256.Sum256([]byte(raw)))
	}
	records, _ := collect(t, NewCutter(strings.NewReader(input), ',', 1))
	var got [][sha256.Size]byte
	for _, rec := range records {
		if rec.Fault == TooLong {
			got = append(got, rec.Digest)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || len(records) != 6 {
		t.Errorf("%d records\n%s", len(records), diff)
	}
}

func TestCutterLength(t *testing.T) {
	got := mustCut(t, "\n\nab\r\ncd\nab,\"\r\n\"\r\n\"e\r\nfgh\r")
	var lengths []int64
	for _, rec := range got {
		lengths = append(lengths, rec.Length)
	}
	if diff := cmp.Diff([]int64{2, 2, 7, 2, 3}, lengths); diff != "" {
		t.Error(diff)
	}
}

func TestCutterLine(t *testing.T) {
	const first = 41
	cutter := NewCutter(strings.NewReader("\n\na\n\"b\n\"\n\"c\nd"), ',', first)
	for _, want := range []struct{ before, line int64 }{{41, 43}, {44, 44}, {46, 46}, {47, 47}} {
		if got := cutter.Line(); got != want.before {
			t.Errorf("Line() is %d, not %d", got, want.before)
		}
		rec, err := cutter.Next()
		if err != nil {
			t.Fatal(err)
		}
		if rec.Line != want.line {
			t.Errorf("%q is on line %d, not %d", rec.Bytes, rec.Line, want.line)
		}
	}
}

func TestCutterReset(t *testing.T) {
	cutter := NewCutter(strings.NewReader(strings.Repeat("x", 300_000)+"\n\"\n"), ',', 1)
	if _, err := cutter.Next(); err != nil {
		t.Fatal(err)
	}
	body := []byte("a;\"\n\"\nb\n")
	for range 2 {
		cutter.Reset(body, ';', 7)
		got, _ := collect(t, cutter)
		want := []cut{{Text: "a;\"\n\"\n", Line: 7, Length: 5}, {Text: "b\n", Line: 9, Length: 1}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	if allocs := testing.AllocsPerRun(10, func() {
		cutter.Reset(body, ';', 7)
		collect(t, cutter)
	}); allocs > 4 { // what collect keeps: two texts, and the slice twice
		t.Errorf("%v allocations", allocs)
	}
}

func TestRecordRaw(t *testing.T) {
	for _, test := range []struct{ bytes, raw string }{
		{"a\n", "a"},
		{"a\r\n", "a"},
		{"a\r", "a"},
		{"a", "a"},
		{"a\r\r\n", "a\r"},
		{"\"a\n\"\n", "\"a\n\""},
	} {
		if got := (Record{Bytes: []byte(test.bytes)}).Raw(); string(got) != test.raw {
			t.Errorf("%q gives %q, not %q", test.bytes, got, test.raw)
		}
	}
	if got := (Record{Bytes: []byte("a\r"), Fault: TooLong}).Raw(); string(got) != "a\r" {
		t.Errorf("the front of a long record lost its end: %q", got)
	}
}

func TestTrimBOM(t *testing.T) {
	for _, test := range []struct{ input, want string }{
		{"\xef\xbb\xbfa", "a"},
		{"\xef\xbb\xbf\xef\xbb\xbf", "\xef\xbb\xbf"},
		{"\xef\xbb", "\xef\xbb"},
		{"a\xef\xbb\xbf", "a\xef\xbb\xbf"},
		{"", ""},
	} {
		if got := TrimBOM([]byte(test.input)); string(got) != test.want {
			t.Errorf("%q gives %q, not %q", test.input, got, test.want)
		}
	}
}
