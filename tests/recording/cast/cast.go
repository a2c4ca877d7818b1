// Package cast writes recordings of terminals in the format asciicast v2, which
// asciinema plays: a line of JSON about the recording, then one an event.
package cast

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/tests/recording/vt"
)

// Frame is what a screen shows from a moment on.
type Frame struct {
	At   time.Duration
	Rows [][]vt.Cell
}

// Write writes the frames, which all have the same size and the first of which
// is at 0. Only rows that change are written.
func Write(w io.Writer, title string, frames []Frame) error {
	encode := json.NewEncoder(w)
	encode.SetEscapeHTML(false)
	first := frames[0].Rows
	err := encode.Encode(map[string]any{"version": 2, "width": len(first[0]), "height": len(first), "title": title})
	if err != nil {
		return err
	}
	before := make([]string, len(first))
	for _, f := range frames {
		var out strings.Builder
		for i, row := range f.Rows {
			line := escaped(row)
			if line != before[i] {
				fmt.Fprintf(&out, "\x1b[%dH\x1b[0m\x1b[2K%s", i+1, line)
				before[i] = line
			}
		}
		if out.Len() == 0 {
			continue
		}
		if err := encode.Encode([]any{json.Number(fmt.Sprintf("%.3f", f.At.Seconds())), "o", out.String()}); err != nil {
			return err
		}
	}
	return nil
}

// escaped is a row as a terminal takes it.
func escaped(row []vt.Cell) string {
	var out strings.Builder
	var style vt.Style
	for _, c := range row {
		if c.Style != style {
			style = c.Style
			out.WriteString("\x1b[0m" + sequence(style))
		}
		if c.Rune == 0 {
			c.Rune = ' '
		}
		out.WriteRune(c.Rune)
	}
	return strings.TrimRight(out.String(), " ")
}

func sequence(s vt.Style) string {
	out := ""
	if s.Bold {
		out += "\x1b[1m"
	}
	if s.Dim {
		out += "\x1b[2m"
	}
	switch {
	case s.Color > 8:
		out += fmt.Sprintf("\x1b[%dm", 90+s.Color-9)
	case s.Color > 0:
		out += fmt.Sprintf("\x1b[%dm", 30+s.Color-1)
	}
	return out
}
