package record

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestCutterFollowsTheRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		delimiter := delimiters.Draw(t, "delimiter")
		input := inputs(delimiter).Draw(t, "input")
		line := rapid.Int64Range(1, 1<<40).Draw(t, "line")

		want, wantTrailing := naive(input, delimiter, line)
		got, trailing := collect(t, NewBodyCutter(input, delimiter, line))
		if !slices.Equal(want, got) || trailing != wantTrailing {
			t.Fatalf("%d blank lines at the end, not %d; %s", trailing, wantTrailing, firstDifference(want, got))
		}
	})
}

// What the reader gives in one read must not matter.
func TestCutterStreamsLikeBody(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		delimiter := delimiters.Draw(t, "delimiter")
		input := inputs(delimiter).Draw(t, "input")

		// The buffer moves, and long records are dropped, where it is full.
		input = append(bytes.Repeat([]byte(strings.Repeat("x", 99)+"\n"), rapid.SampledFrom([]int{0, 0, 0, bufferSize/100 - 1, bufferSize / 200}).Draw(t, "rows before")), input...)
		want, wantTrailing := collect(t, NewBodyCutter(input, delimiter, 1))

		readers := map[string]io.Reader{
			"a byte at a time": iotest.OneByteReader(bytes.NewReader(input)),
			"all at once":      bytes.NewReader(input),
			"in pieces":        &chunks{rest: input, sizes: sizes(t), withEOF: rapid.Bool().Draw(t, "with EOF")},
		}
		for name, reader := range readers {
			got, trailing := collect(t, NewCutter(reader, delimiter, 1))
			if !slices.Equal(want, got) || trailing != wantTrailing {
				t.Fatalf("%s: %d blank lines at the end, not %d; %s", name, trailing, wantTrailing, firstDifference(want, got))
			}
		}
	})
}

// The property that batches rest on: see the package documentation.
func TestCutterCutsBatchesAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		delimiter := delimiters.Draw(t, "delimiter")
		input := inputs(delimiter).Draw(t, "input")
		records, _ := collect(t, NewCutter(bytes.NewReader(input), delimiter, 1))

		cutter := NewBodyCutter(nil, delimiter, 0)
		for len(records) > 0 {
			n := rapid.IntRange(1, min(len(records), 40)).Draw(t, "records of the batch")
			var body []byte
			batch := make([]cut, 0, n)
			for _, rec := range records[:n] {
				if rec.Fault == TooLong {
					break
				}
				if len(batch) > 0 {
					body = append(body, bytes.Repeat([]byte("\n"), int(rec.Blank))...)
				} else {
					rec.Blank = 0
				}
				body = append(body, rec.Text...)
				batch = append(batch, rec)
			}
			if len(batch) == 0 {
				records = records[1:]
				continue
			}
			cutter.Reset(body, delimiter, batch[0].Line)
			got, trailing := collect(t, cutter)
			if !slices.Equal(batch, got) || trailing != 0 {
				t.Fatalf("%d blank lines at the end of a body; %s", trailing, firstDifference(batch, got))
			}
			records = records[len(batch):]
		}
	})
}

func TestCutterLosesNoByte(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		delimiter := delimiters.Draw(t, "delimiter")
		input := inputs(delimiter).Draw(t, "input")
		reader := &chunks{rest: input, sizes: sizes(t)}
		records, trailing := collect(t, NewCutter(reader, delimiter, 1))
		checkConserved(t, input, records, trailing)
	})
}

// checkConserved walks through the input by what the records say of it.
func checkConserved(t failer, input []byte, records []cut, trailing int64) {
	t.Helper()
	line := int64(1)
	skip := func(blank int64) {
		for range blank {
			switch {
			case bytes.HasPrefix(input, []byte("\n")):
				input = input[1:]
			case bytes.HasPrefix(input, []byte("\r\n")):
				input = input[2:]
			case string(input) == "\r":
				input = nil
			default:
				t.Fatalf("line %d: not blank: %.20q", line, input)
			}
			line++
		}
	}
	for _, rec := range records {
		skip(rec.Blank)
		if rec.Line != line {
			t.Fatalf("record on line %d says line %d", line, rec.Line)
		}
		if !bytes.HasPrefix(input, []byte(rec.Text)) || rec.Text == "" {
			t.Fatalf("line %d: record %.40q is not what the input holds: %.40q", line, rec.Text, input)
		}
		n := len(rec.Text)
		if rec.Fault == TooLong {
			n = int(rec.Length)
			for _, end := range []string{"\n", "\r\n", "\r"} {
				if rest := input[n:]; bytes.HasPrefix(rest, []byte(end)) {
					n += len(end)
					break
				}
			}
		}
		line += int64(bytes.Count(input[:n], []byte("\n")))
		input = input[n:]
	}
	skip(trailing)
	if len(input) > 0 {
		t.Fatalf("%d bytes are in no record: %.40q", len(input), input)
	}
}

// encoding/csv is the second opinion on what it accepts, within our limits.
func TestCutterAgreesWithEncodingCSV(t *testing.T) {
	accepted := 0
	rapid.Check(t, func(t *rapid.T) {
		delimiter := delimiters.Draw(t, "delimiter")
		input := rapid.OneOf(csvInputs(delimiter), inputs(delimiter)).Draw(t, "input")
		if compareWithCSV(t, input, delimiter) {
			accepted++
		}
	})
	if accepted == 0 {
		t.Fatal("encoding/csv accepted none of the inputs: nothing was compared")
	}
}

// compareWithCSV says whether encoding/csv accepts the input, and fails the test
// if it reads something else from it.
func compareWithCSV(t failer, input []byte, delimiter byte) bool {
	t.Helper()
	reader := csv.NewReader(bytes.NewReader(input))
	reader.Comma = rune(delimiter)
	reader.FieldsPerRecord = -1
	cutter := NewBodyCutter(input, delimiter, 1)
	for {
		want, wantErr := reader.Read()
		rec, err := cutter.Next()
		if errors.Is(wantErr, io.EOF) {
			if !errors.Is(err, io.EOF) {
				t.Fatalf("line %d: encoding/csv sees no record where %q is", rec.Line, rec.Bytes)
			}
			return true
		}
		if err == nil && rec.Fault != 0 {
			return false // beyond our limits, or an open quote
		}
		if wantErr != nil {
			// It goes on behind the line it refuses, which is elsewhere when
			// that held an open quote: no more to compare.
			_, reason := SplitFields(rec.Raw(), delimiter, nil)
			if err != nil || reason == "" {
				t.Fatalf("line %d: encoding/csv refuses (%v) what was split: %q", rec.Line, wantErr, rec.Bytes)
			}
			return false
		}
		if err != nil {
			t.Fatalf("no record where encoding/csv has %q: %v", want, err)
		}
		fields, reason := SplitFields(rec.Raw(), delimiter, nil)
		if reason != "" {
			t.Fatalf("line %d: %q was refused: %s", rec.Line, rec.Bytes, reason)
		}
		got := make([]string, len(fields))
		for i, field := range fields {
			got[i] = string(bytes.ReplaceAll(field, []byte("\r\n"), []byte("\n")))
		}
		if !slices.Equal(want, got) {
			t.Fatalf("line %d, fields of %q:\n%s", rec.Line, rec.Bytes, cmp.Diff(want, got))
		}
		if line, _ := reader.FieldPos(0); int64(line) != rec.Line {
			t.Fatalf("record on line %d for encoding/csv says line %d", line, rec.Line)
		}
	}
}

// csvInputs generates CSV that is well formed throughout.
func csvInputs(delimiter byte) *rapid.Generator[[]byte] {
	plain := rapid.StringOf(rapid.SampledFrom([]rune("abc 0/.\x00é;|"))).Filter(func(s string) bool {
		return strings.IndexByte(s, delimiter) < 0
	})
	quoted := rapid.Map(rapid.StringOf(rapid.SampledFrom([]rune("ab,; \t\"\r\n"))), func(s string) string {
		return `"` + string(bytes.ReplaceAll([]byte(s), []byte(`"`), []byte(`""`))) + `"`
	})
	field := rapid.OneOf(plain, quoted)
	return rapid.Custom(func(t *rapid.T) []byte {
		var b []byte
		for range rapid.IntRange(0, 20).Draw(t, "records") {
			for i := range rapid.IntRange(1, 5).Draw(t, "fields") {
				if i > 0 {
					b = append(b, delimiter)
				}
				b = append(b, field.Draw(t, "field")...)
			}
			b = append(b, rapid.SampledFrom([]string{"\n", "\r\n", "\n\n", "\n\r\n"}).Draw(t, "line end")...)
		}
		if rapid.Bool().Draw(t, "cut short") {
			b = bytes.TrimRight(b, "\r\n")
		}
		return b
	})
}
