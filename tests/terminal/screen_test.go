package terminal

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// screen is a terminal as wide as it is told and endlessly high, as far as the
// programs use one.
type screen struct {
	columns     int
	lines       [][]rune
	row, column int
	continued   map[int]bool // rows that go on with a line
	// strange are sequences that it does not know, wrapped the lines that were
	// wider than it.
	strange, wrapped []string
}

func newScreen(columns int) *screen {
	return &screen{columns: columns, lines: make([][]rune, 1), continued: make(map[int]bool)}
}

// show shows what was written to a terminal, and returns what is seen then: its
// lines without spaces at their ends.
func show(columns int, written string) (string, []string) {
	s := newScreen(columns)
	s.write(written)
	return s.text(), s.strange
}

func (s *screen) text() string {
	var b strings.Builder
	for _, line := range s.lines {
		b.WriteString(strings.TrimRight(string(line), " ") + "\n")
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

func (s *screen) write(text string) {
	for len(text) > 0 {
		if rest, is := strings.CutPrefix(text, "\x1b"); is {
			text = s.sequence(rest)
			continue
		}
		r, size := utf8.DecodeRuneInString(text)
		text = text[size:]
		switch r {
		case '\n':
			s.down()
		case '\r':
			s.column = 0
		default:
			s.put(r)
		}
	}
}

// sequence obeys what follows upon an escape, and returns what is behind it.
func (s *screen) sequence(text string) string {
	end := strings.IndexFunc(text, func(r rune) bool { return r >= 'A' && r <= 'z' && r != '[' })
	if !strings.HasPrefix(text, "[") || end < 0 {
		s.strange = append(s.strange, fmt.Sprintf("%.10q", text))
		return text
	}
	count, err := strconv.Atoi(text[1:end])
	switch {
	case text[end] == 'A' && err == nil:
		s.row = max(0, s.row-count)
	case text[:end+1] == "[J":
		s.lines = s.lines[:s.row+1]
		s.clear()
	case text[:end+1] == "[K":
		s.clear()
	default:
		s.strange = append(s.strange, fmt.Sprintf("%q", text[:end+1]))
	}
	return text[end+1:]
}

func (s *screen) clear() {
	s.lines[s.row] = s.lines[s.row][:min(len(s.lines[s.row]), s.column)]
}

func (s *screen) down() {
	if s.row++; s.row == len(s.lines) {
		s.lines = append(s.lines, nil)
	}
}

func (s *screen) put(r rune) {
	if s.column == s.columns {
		if !s.continued[s.row] {
			s.wrapped = append(s.wrapped, string(s.lines[s.row]))
		}
		s.column = 0
		s.down()
		s.continued[s.row] = true
	}
	line := s.lines[s.row]
	for len(line) <= s.column {
		line = append(line, ' ')
	}
	line[s.column] = r
	s.lines[s.row] = line
	s.column++
}

func TestScreen(t *testing.T) {
	for written, want := range map[string]string{
		"a\r\nb\r\n":                     "a\nb\n",
		"one\rt":                         "tne\n",
		"123456":                         "12345\n6\n",
		"12345\r\nx":                     "12345\nx\n",
		"a\r\nb\r\n\x1b[2A\x1b[Jc":       "c\n",
		"ab\r\ncd\r\n\x1b[1A\x1b[Kx\r\n": "ab\nx\n",
		"ab\r\ncd\x1b[1A\x1b[J":          "ab\n",
	} {
		got, strange := show(5, written)
		if diff := cmp.Diff(want, got); diff != "" || len(strange) > 0 {
			t.Errorf("%q: strange %q (-want +got):\n%s", written, strange, diff)
		}
	}
	if _, strange := show(5, "\x1b[31mred\x1b[0m"); len(strange) != 2 {
		t.Errorf("strange: %q", strange)
	}
}
