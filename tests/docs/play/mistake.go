package play

import (
	"fmt"
	"strings"

	"github.com/streamgauge/streamgauge/tests/docs/expect"
)

// shownOutput is how many lines of what was printed a mistake shows.
const shownOutput = 40

// mistake is a place where a document says other than what happens.
type mistake struct {
	line    int
	command string // the one that was run, or what it was about
	problem string // "" where Difference says it
	expect.Difference

	output []string // all that was printed
}

// text says it of a document, in several lines.
func (m *mistake) text(document string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d: %s", document, m.line, m.command)
	if m.problem != "" {
		b.WriteString(": " + m.problem)
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
	if len(m.output) > 0 {
		b.WriteString("\n  It printed:")
		for i, line := range m.output {
			if i == shownOutput {
				fmt.Fprintf(&b, "\n    (%d lines more)", len(m.output)-i)
				break
			}
			b.WriteString("\n    " + line)
		}
	}
	return b.String()
}
