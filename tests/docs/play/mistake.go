package play

import (
	"fmt"
	"strings"

	"github.com/streamgauge/streamgauge/tests/docs/expect"
)

// shownOutput is how many lines of what was printed a mistake shows.
const shownOutput = 40

// Mistake is a place where a document says other than what happens.
type Mistake struct {
	Document string
	Line     int
	Command  string // the one that was run, or what it was about
	Problem  string // "" where Difference says it
	expect.Difference

	Output []string // all that was printed
}

func (m *Mistake) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d: %s", m.Document, m.Line, m.Command)
	if m.Problem != "" {
		b.WriteString(": " + m.Problem)
	} else {
		expected, got := m.Expected, m.Got
		if m.Added {
			expected = "(nothing more)"
		}
		if m.Missing {
			got = "(no such line)"
		}
		fmt.Fprintf(&b, "\n  expected: %s\n  got:      %s", expected, got)
	}
	if len(m.Output) > 0 {
		b.WriteString("\n  It printed:")
		for i, line := range m.Output {
			if i == shownOutput {
				fmt.Fprintf(&b, "\n    (%d lines more)", len(m.Output)-i)
				break
			}
			b.WriteString("\n    " + line)
		}
	}
	return b.String()
}
