package record

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"testing"

	"pgregory.net/rapid"
)

// cut is a record as a test keeps it.
type cut struct {
	Text   string
	Line   int64
	Blank  int64
	Fault  Fault
	Length int64
	Digest [sha256.Size]byte // of TooLong records
}

// failer is what *testing.T, *testing.F and *rapid.T have in common.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// collect returns every record of c and the blank lines behind the last.
func collect(t failer, c *Cutter) (records []cut, trailing int64) {
	t.Helper()
	for {
		rec, err := c.Next()
		if errors.Is(err, io.EOF) {
			return records, rec.Blank
		}
		if err != nil {
			t.Fatalf("Next: %v", err)
		}
		records = append(records, keep(c, rec))
	}
}

func keep(c *Cutter, rec Record) cut {
	kept := cut{Text: string(rec.Bytes), Line: rec.Line, Blank: rec.Blank, Fault: rec.Fault, Length: rec.Length}
	if rec.Fault == TooLong {
		kept.Digest = c.Digest()
	}
	return kept
}

// firstDifference says where two lists of records part, in few words however long
// the records are.
func firstDifference(want, got []cut) string {
	for i := range max(len(want), len(got)) {
		switch {
		case i >= len(want):
			return fmt.Sprintf("record %d is too many: %v", i, got[i])
		case i >= len(got):
			return fmt.Sprintf("record %d is missing: %v", i, want[i])
		case want[i] != got[i]:
			return fmt.Sprintf("record %d\nwant %v\ngot  %v", i, want[i], got[i])
		}
	}
	return "the records are the same"
}

func (c cut) String() string {
	text := c.Text
	if len(text) > 80 {
		text = text[:40] + "…" + text[len(text)-40:]
	}
	return fmt.Sprintf("%q of %d bytes, line %d behind %d blank, length %d, fault %q, digest %.4x", text, len(c.Text), c.Line, c.Blank, c.Length, c.Fault, c.Digest)
}

// naive cuts input by the letter of the package documentation, a byte at a time
// and with no care for speed.
func naive(input []byte, delimiter byte, line int64) (records []cut, trailing int64) {
	for {
		var blank int64
		for {
			n := 0
			switch {
			case bytes.HasPrefix(input, []byte("\n")):
				n = 1
			case bytes.HasPrefix(input, []byte("\r\n")):
				n = 2
			case string(input) == "\r":
				n = 1
			}
			if n == 0 {
				break
			}
			input = input[n:]
			blank++
			line++
		}
		if len(input) == 0 {
			return records, blank
		}
		n, fault := naiveEnd(input, delimiter)
		whole := input[:n]
		raw := whole
		if l := len(raw); l > 0 && raw[l-1] == '\n' {
			raw = raw[:l-1]
		}
		if l := len(raw); l > 0 && raw[l-1] == '\r' {
			raw = raw[:l-1]
		}
		rec := cut{Text: string(whole), Line: line, Blank: blank, Fault: fault, Length: int64(len(raw))}
		if len(raw) > MaxLength {
			rec.Text, rec.Fault, rec.Digest = string(raw[:MaxLength]), TooLong, sha256.Sum256(raw)
		}
		records = append(records, rec)
		line += int64(bytes.Count(whole, []byte("\n")))
		input = input[n:]
	}
}

// naiveEnd returns the length of the record that input begins with.
func naiveEnd(input []byte, delimiter byte) (int, Fault) {
	fieldStart := true
	for i := 0; i < len(input); i++ {
		switch {
		case input[i] == '\n':
			return i + 1, 0
		case input[i] == '"' && fieldStart:
			closing, ok := naiveClose(input, i)
			if !ok {
				if n := bytes.IndexByte(input[i:], '\n'); n >= 0 {
					return i + n + 1, OpenQuote
				}
				return len(input), OpenQuote
			}
			i = closing
			fieldStart = false
		default:
			fieldStart = input[i] == delimiter
		}
	}
	return len(input), 0
}

// naiveClose returns where the quote that opens at i is closed.
func naiveClose(input []byte, i int) (int, bool) {
	held, lines := 0, 1
	for j := i + 1; j < len(input); j++ {
		switch {
		case input[j] == '"' && held > MaxQuotedBytes:
			return 0, false
		case input[j] == '"' && j+1 < len(input) && input[j+1] == '"':
			held += 2
			j++
		case input[j] == '"':
			return j, true
		case input[j] == '\n':
			if input[j-1] != '\r' {
				held++
			}
			if lines++; lines > MaxQuotedLines {
				return 0, false
			}
		default:
			held++
		}
	}
	return 0, false
}

// inputs generates what records are made of, in pieces that meet each other in
// every way, some of them around the limits.
func inputs(delimiter byte) *rapid.Generator[[]byte] {
	short := rapid.SampledFrom([]string{
		`"`, `"`, `""`, `"""`, string(delimiter), string(delimiter), string(delimiter) + `"`, `"` + string(delimiter),
		"\n", "\n", "\r\n", "\r", "\"\n", "\"\r\n", "a", "bc", " ", "\x00", "\xff", "é", "1/10/2012,50,9\n",
	})
	long := rapid.Custom(func(t *rapid.T) string {
		piece := rapid.SampledFrom([]string{"x", `""`, "x\n", "\n", "\r\n", "x\r\n", "\"\"\n", "abcdefg\r\n", ",\"y\"\n", "1234567890123456789\n"}).Draw(t, "piece")
		n := rapid.OneOf(
			rapid.IntRange(MaxQuotedLines-3, MaxQuotedLines+3),
			rapid.Map(rapid.IntRange(-4, 4), func(d int) int { return MaxLength/len(piece) + d }),
			rapid.IntRange(1, 2000),
		).Draw(t, "times")
		return string(bytes.Repeat([]byte(piece), n))
	})
	return rapid.Custom(func(t *rapid.T) []byte {
		pieces := rapid.SliceOfN(rapid.IntRange(0, 24), 0, 60).Draw(t, "pieces")
		var b []byte
		for _, p := range pieces {
			switch p {
			case 0:
				b = append(b, long.Draw(t, "long")...)
			case 1:
				b = append(b, delimiter)
				b = append(b, nearLimit.Draw(t, "near a limit")...)
			default:
				b = append(b, short.Draw(t, "short")...)
			}
		}
		return b
	})
}

// nearLimit generates a quoted field that just keeps to the limits or just does
// not.
var nearLimit = rapid.Custom(func(t *rapid.T) string {
	lines, held := rapid.IntRange(1, MaxQuotedLines+2).Draw(t, "lines"), rapid.IntRange(0, 3000).Draw(t, "bytes")
	if rapid.Bool().Draw(t, "many lines") {
		lines = MaxQuotedLines + rapid.IntRange(-1, 2).Draw(t, "lines more")
	}
	if rapid.Bool().Draw(t, "many bytes") {
		held = MaxQuotedBytes + rapid.IntRange(-2, 2).Draw(t, "bytes more")
	}
	crlf := rapid.IntRange(0, lines).Draw(t, "CRLF")
	var b []byte
	for i := 1; i < lines; i++ {
		if i < crlf {
			b = append(b, '\r')
		}
		b = append(b, '\n')
	}
	rest := bytes.Repeat([]byte("x"), max(0, held-lines+1))
	at := rapid.IntRange(0, len(rest)).Draw(t, "lines at")
	return `"` + string(rest[:at]) + string(b) + string(rest[at:]) + rapid.SampledFrom([]string{`"`, `""`, ""}).Draw(t, "end")
})

var delimiters = rapid.SampledFrom([]byte{',', ';', '\t', '|', ' '})

// chunks is a reader that gives its input in pieces of the given sizes, again
// and again. A size of 0 is a read that gives nothing.
type chunks struct {
	rest    []byte
	sizes   []int
	i       int
	withEOF bool // the last piece comes together with io.EOF
}

func (c *chunks) Read(p []byte) (int, error) {
	size := c.sizes[c.i%len(c.sizes)]
	c.i++
	n := copy(p, c.rest[:min(size, len(c.rest))])
	c.rest = c.rest[n:]
	if len(c.rest) == 0 && (c.withEOF || n == 0) {
		return n, io.EOF
	}
	return n, nil
}

func sizes(t *rapid.T) []int {
	size := rapid.OneOf(rapid.IntRange(0, 3), rapid.IntRange(1, 100), rapid.IntRange(1, 300_000))
	return append(rapid.SliceOfN(size, 0, 5).Draw(t, "sizes"), 1+size.Draw(t, "last size"))
}

// mustCut cuts a body.
func mustCut(t testing.TB, body string) []cut {
	t.Helper()
	records, _ := collect(t, NewBodyCutter([]byte(body), ',', 1))
	return records
}
