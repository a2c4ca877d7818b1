package docs

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/streamgauge/streamgauge/tests/docs/expect"
	"github.com/streamgauge/streamgauge/tests/docs/play"
)

var figure = regexp.MustCompile(`\d+`)

// unnoticed alters each figure, drops each line and doubles each line of the
// outputs that a document shows, one at a time, and returns the alterations that
// would pass for what was printed: a test of the comparison, on what it has to
// compare. Figures that vary from run to run, and lines beside an elision, which
// may stand for them, are not altered.
func unnoticed(checked []play.Checked) []string {
	var missed []string
	for _, c := range checked {
		try := func(what string, altered []string) {
			same := expect.Compare(altered, c.Got) == nil
			if !c.Whole {
				same = expect.Begins(altered, c.Got) == len(c.Got)
			}
			if same {
				missed = append(missed, fmt.Sprintf("  line %d ff., %s: %s", c.Line, c.Command, what))
			}
		}
		for i, line := range c.Expected {
			if expect.IsElision(line) {
				continue
			}
			for _, at := range figure.FindAllStringIndex(line, -1) {
				other := line[:at[0]] + another(line[at[0]:at[1]]) + line[at[1]:]
				if expect.Compare([]string{line}, []string{other}) == nil {
					continue // it varies
				}
				try(fmt.Sprintf("%q for %q", other, line), replaced(c.Expected, i, other))
			}
			if beside(c.Expected, i-1) || beside(c.Expected, i+1) {
				continue
			}
			try(fmt.Sprintf("without %q", line), slices.Delete(slices.Clone(c.Expected), i, i+1))
			try(fmt.Sprintf("%q twice", line), slices.Insert(slices.Clone(c.Expected), i, line))
		}
	}
	return missed
}

// another is a number of as many digits, each of which is one more.
func another(digits string) string {
	return strings.Map(func(r rune) rune { return '0' + (r-'0'+1)%10 }, digits)
}

func replaced(lines []string, i int, line string) []string {
	out := slices.Clone(lines)
	out[i] = line
	return out
}

func beside(lines []string, i int) bool {
	return i >= 0 && i < len(lines) && expect.IsElision(lines[i])
}
