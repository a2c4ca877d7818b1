// Package vt is the part of a terminal that shows: it takes what programs write
// and keeps what stands on the screen. It knows the sequences that this
// project's programs, the nats command line and bash use; others are errors, so
// that nothing is shown wrong in silence.
package vt

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Cell is a character and how it looks. The zero value is an empty one.
type Cell struct {
	Rune  rune // 0 where nothing was written
	Style Style
}

// Style is how a character looks.
type Style struct {
	Color uint8 // 0 = the usual, else one of the 16 colors, from 1
	Bold  bool
	Dim   bool
}

// Screen is a screen of fixed size. It is not safe for concurrent use.
type Screen struct {
	Rows [][]Cell

	row, col int
	style    Style
	pending  []byte // the beginning of a sequence or character
}

// New makes an empty screen.
func New(rows, cols int) *Screen {
	s := &Screen{Rows: make([][]Cell, rows)}
	for i := range s.Rows {
		s.Rows[i] = make([]Cell, cols)
	}
	return s
}

// Line is a row's text, without the spaces at its end.
func (s *Screen) Line(row int) string {
	var b strings.Builder
	for _, c := range s.Rows[row] {
		if c.Rune == 0 {
			c.Rune = ' '
		}
		b.WriteRune(c.Rune)
	}
	return strings.TrimRight(b.String(), " ")
}

// Cursor is the row and column of the next character, from 0.
func (s *Screen) Cursor() (row, col int) { return s.row, s.col }

// Write takes what a program has written.
func (s *Screen) Write(p []byte) (int, error) {
	text := slices.Concat(s.pending, p)
	for len(text) > 0 {
		n, err := s.next(text)
		if err != nil {
			return 0, err
		}
		if n == 0 {
			break
		}
		text = text[n:]
	}
	s.pending = slices.Clone(text)
	return len(p), nil
}

// next takes one character or sequence, and returns its length: 0 if it is not
// complete yet.
func (s *Screen) next(text []byte) (int, error) {
	switch text[0] {
	case '\x1b':
		return s.escape(text)
	case '\r':
		s.col = 0
	case '\n':
		s.lineFeed()
	case '\b':
		s.col = max(0, s.col-1)
	case '\t':
		s.col = min((s.col/8+1)*8, len(s.Rows[0])-1)
	case '\a', 0:
	default:
		if text[0] < ' ' {
			return 0, fmt.Errorf("control character %#x", text[0])
		}
		if !utf8.FullRune(text) {
			return 0, nil
		}
		r, size := utf8.DecodeRune(text)
		s.put(r)
		return size, nil
	}
	return 1, nil
}

func (s *Screen) put(r rune) {
	if s.col == len(s.Rows[0]) { // wraps only when there is more to show
		s.col = 0
		s.lineFeed()
	}
	s.Rows[s.row][s.col] = Cell{Rune: r, Style: s.style}
	s.col++
}

func (s *Screen) lineFeed() {
	if s.row < len(s.Rows)-1 {
		s.row++
		return
	}
	first := s.Rows[0]
	copy(s.Rows, s.Rows[1:])
	clear(first)
	s.Rows[len(s.Rows)-1] = first
}

// escape takes a control sequence: ESC [ parameters final.
func (s *Screen) escape(text []byte) (int, error) {
	if len(text) < 2 {
		return 0, nil
	}
	if text[1] != '[' {
		return 0, fmt.Errorf("sequence ESC %q", text[1])
	}
	for i, c := range text[2:] {
		if c >= '@' {
			return i + 3, s.control(string(text[2:2+i]), c)
		}
	}
	return 0, nil
}

func (s *Screen) control(parameters string, final byte) error {
	if strings.HasPrefix(parameters, "?") && (final == 'h' || final == 'l') {
		return nil // modes: the cursor's look, how text is pasted
	}
	var numbers []int
	for field := range strings.SplitSeq(parameters, ";") {
		n, err := strconv.Atoi(field)
		if err != nil && field != "" {
			return fmt.Errorf("sequence ESC [ %s %c", parameters, final)
		}
		numbers = append(numbers, n)
	}
	count := max(1, numbers[0])
	bottom, right := len(s.Rows)-1, len(s.Rows[0])-1
	switch final {
	case 'A':
		s.row = max(0, s.row-count)
	case 'B':
		s.row = min(bottom, s.row+count)
	case 'C':
		s.col = min(right, s.col+count)
	case 'D':
		s.col = max(0, s.col-count)
	case 'E':
		s.row, s.col = min(bottom, s.row+count), 0
	case 'F':
		s.row, s.col = max(0, s.row-count), 0
	case 'G':
		s.col = min(right, count-1)
	case 'H':
		s.row, s.col = min(bottom, count-1), 0
		if len(numbers) > 1 {
			s.col = min(right, max(1, numbers[1])-1)
		}
	case 'J':
		return s.eraseScreen(numbers[0])
	case 'K':
		return s.eraseLine(numbers[0])
	case 'm':
		return s.look(numbers)
	default:
		return fmt.Errorf("sequence ESC [ %s %c", parameters, final)
	}
	return nil
}

func (s *Screen) eraseScreen(what int) error {
	from, to := s.row+1, len(s.Rows)
	switch what {
	case 0:
		clear(s.Rows[s.row][min(s.col, len(s.Rows[0])):])
	case 2:
		from = 0
	case 3: // what has scrolled away, which is not kept
		return nil
	default:
		return fmt.Errorf("sequence ESC [ %d J", what)
	}
	for _, row := range s.Rows[from:to] {
		clear(row)
	}
	return nil
}

func (s *Screen) eraseLine(what int) error {
	row, col := s.Rows[s.row], min(s.col, len(s.Rows[0]))
	switch what {
	case 0:
		clear(row[col:])
	case 1:
		clear(row[:col])
	case 2:
		clear(row)
	default:
		return fmt.Errorf("sequence ESC [ %d K", what)
	}
	return nil
}

func (s *Screen) look(numbers []int) error {
	for _, n := range numbers {
		switch {
		case n == 0:
			s.style = Style{}
		case n == 1:
			s.style.Bold = true
		case n == 2:
			s.style.Dim = true
		case n == 22:
			s.style.Bold, s.style.Dim = false, false
		case n >= 30 && n <= 37:
			s.style.Color = uint8(n - 30 + 1)
		case n == 39:
			s.style.Color = 0
		case n >= 90 && n <= 97:
			s.style.Color = uint8(n - 90 + 9)
		default:
			return fmt.Errorf("sequence ESC [ %d m", n)
		}
	}
	return nil
}
