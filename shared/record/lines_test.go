package record

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// collectLines does what collect does, by Lines as far as that goes.
func collectLines(t failer, c *Cutter, most, size func() int) (records []cut, trailing int64) {
	t.Helper()
	for {
		most, size := most(), size()
		line := c.Line()
		lines, count := c.Lines(most, size)
		if count > most || len(lines) > size || c.Line() != line+int64(count) {
			t.Fatalf("%d lines of %d bytes, on line %d behind line %d: more than %d, or %d bytes", count, len(lines), c.Line(), line, most, size)
		}
		for text := range bytes.Lines(lines) {
			rec := Record{Bytes: text, Line: line, Length: int64(rawLength(text))}
			records = append(records, keep(c, rec))
			line++
		}
		if line != c.Line() {
			t.Fatalf("%q are not %d lines", lines, count)
		}
		rec, err := c.Next()
		if err != nil {
			return records, rec.Blank
		}
		records = append(records, keep(c, rec))
	}
}

// Whether records are taken one by one or by Lines must not matter.
func TestLinesAreRecords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		delimiter := delimiters.Draw(t, "delimiter")
		input := inputs(delimiter).Draw(t, "input")
		rows := strings.Repeat("1/10/2012,50,9\n", rapid.IntRange(0, 40).Draw(t, "rows before"))
		input = append([]byte(rows), input...)
		want, wantTrailing := collect(t, NewBodyCutter(input, delimiter, 1))
		most := func() int { return rapid.IntRange(0, 600).Draw(t, "most") }
		size := func() int {
			return rapid.OneOf(rapid.IntRange(0, 100), rapid.IntRange(0, 2*MaxLength)).Draw(t, "size")
		}
		reader := &chunks{rest: input, sizes: sizes(t)}
		for _, cutter := range []*Cutter{NewBodyCutter(input, delimiter, 1), NewCutter(reader, delimiter, 1)} {
			got, trailing := collectLines(t, cutter, most, size)
			if !slices.Equal(want, got) || trailing != wantTrailing {
				t.Fatalf("%d blank lines at the end, not %d; %s", trailing, wantTrailing, firstDifference(want, got))
			}
		}
	})
}

// Lines has to be of use, too: where it stops is checked to the byte.
func TestLines(t *testing.T) {
	long := strings.Repeat("x", MaxLength-1) + "\n"
	for name, c := range map[string]struct {
		input      string
		most, size int
		want       string
	}{
		"all":                 {"a,b\nc,d\n", 10, 100, "a,b\nc,d\n"},
		"as many as wanted":   {strings.Repeat("a\n", 100), 37, 1000, strings.Repeat("a\n", 37)},
		"none wanted":         {"a\n", 0, 100, ""},
		"as large as wanted":  {strings.Repeat("a\n", 100), 100, 9, strings.Repeat("a\n", 4)},
		"CRLF":                {"a\r\nb\r\n", 10, 100, "a\r\nb\r\n"},
		"to a quote":          {"a\nb\nc\"\nd\n", 10, 100, "a\nb\n"},
		"to a blank line":     {"abcdefg\nb\n\nd\n", 10, 100, "abcdefg\nb\n"},
		"to a blank CRLF":     {"abcdef\nb\n\r\nd\n", 10, 100, "abcdef\nb\n"},
		"not a blank line":    {"\na\n", 10, 100, ""},
		"to the last newline": {"abc\nd", 10, 100, "abc\n"},
		"the longest":         {long, 1, 2 * MaxLength, long},
		"too long":            {"x" + long, 1, 2 * MaxLength, ""},
		"blank over a word":   {"1234567\n\n", 10, 100, "1234567\n"},
		"bytes like newlines": {"\x0b\x8a\x0c\x00\x09\xff\x8d\n\x8a\n", 10, 100, "\x0b\x8a\x0c\x00\x09\xff\x8d\n\x8a\n"},
	} {
		t.Run(name, func(t *testing.T) {
			lines, count := NewBodyCutter([]byte(c.input), ',', 1).Lines(c.most, c.size)
			if string(lines) != c.want || count != strings.Count(c.want, "\n") {
				t.Errorf("%d lines %.100q, want %.100q", count, lines, c.want)
			}
		})
	}
}
