package demo

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/streamgauge/streamgauge/shared/stats"
)

// width is what a terminal has at least.
const width = 80

// screen lays the demo out.
type screen struct {
	out  io.Writer
	bold bool

	broken error  // why nothing can be written any more
	stop   func() // called when that is so
}

func (s *screen) line(text string) {
	if _, err := fmt.Fprintln(s.out, strings.TrimRight(text, " ")); err != nil {
		s.broken = err
		s.stop()
	}
}

func (s *screen) heading(text string) {
	s.line("")
	if s.bold {
		text = "\x1b[1m" + text + "\x1b[0m"
	}
	s.line(text)
}

func (s *screen) item(name, value string) { s.line(fmt.Sprintf("   %-11s %s", name, value)) }

// row is a line of statistics. Of a value that is too long for its column the
// line gets longer: a wrong number would be worse.
func (s *screen) row(revision, source, rows, count, mean, least, most string) {
	s.line(fmt.Sprintf("   %4s  %-15s %6s %6s  %21s %6s %6s", revision, source, rows, count, mean, least, most))
}

func (s *screen) columns() {
	s.line("")
	s.row("rev", "source", "rows", "count", "mean", "min", "max")
}

// snapshot shows one message; nil is one that is not to be shown.
func (s *screen) snapshot(snap *stats.Snapshot) {
	if snap == nil {
		return
	}
	s.row(fmt.Sprint(snap.Revision), shorten(clean(snap.Source), 15), fmt.Sprint(snap.Rows), fmt.Sprint(snap.Count),
		orNull(string(snap.Mean)), orNull(string(snap.Min)), orNull(string(snap.Max)))
}

// quote shows what another program said, indented.
func (s *screen) quote(text string) {
	for line := range strings.Lines(text) {
		if line = clean(strings.TrimRight(line, " \r\n")); line != "" {
			s.line(shorten("         "+line, width))
		}
	}
}

func (s *screen) table(head [3]string, rows [][3]string) {
	s.line("")
	for _, r := range append([][3]string{head}, rows...) {
		s.line(fmt.Sprintf("   %-14s %24s %24s", r[0], orNull(r[1]), orNull(r[2])))
	}
	s.line("")
}

func orNull(value string) string {
	if value == "" {
		return "null"
	}
	return value
}

// clean takes what could move the cursor out of a text that others wrote.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}

// shorten cuts a text to n characters.
func shorten(text string, n int) string {
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	return string([]rune(text)[:n-1]) + "…"
}
