// Package expect compares what a document says a command prints with what it
// printed, and can bring the former up to date.
//
// Lines are the same when their words and spaces are, but for what varies from
// run to run (see varying.go) and what the document elides: a line that is only
// "…" stands for any number of lines, none included, and "…" within a line for
// any text. Spaces at the end of lines, and empty lines at the beginning and the
// end, do not count.
package expect

import (
	"slices"
	"strings"
)

// Difference is the first place where two texts differ.
type Difference struct {
	// Line is the index of the expected line at fault, which is one past the last
	// when it is what came that goes on.
	Line int
	// Expected and Got are lines; "" with Missing or Added set where there is none.
	Expected, Got  string
	Missing, Added bool
}

// Compare returns the first difference, or nil.
func Compare(expected, got []string) *Difference {
	rows := reached(expected, got)
	if rows[len(expected)][len(got)] {
		return nil
	}
	line := len(expected) // the first that can't be reached, whatever elisions take in
	for line > 0 && !slices.Contains(rows[line], true) {
		line--
	}
	from, to := slices.Index(rows[line], true), lastIndex(rows[line])
	switch {
	case line == len(expected):
		return &Difference{Line: line, Got: got[to], Added: true}
	case from < to:
		return afterElision(expected, got, line)
	case from == len(got):
		return &Difference{Line: line, Expected: expected[line], Missing: true}
	default:
		return &Difference{Line: line, Expected: expected[line], Got: got[from]}
	}
}

// afterElision is the difference at an expected line that could be any of what
// came: the most similar one is at fault, if there is one.
func afterElision(expected, got []string, line int) *Difference {
	path, _ := alignLines(expected, got)
	for _, s := range path {
		if s.expected == line && s.kind == changed {
			return &Difference{Line: line, Expected: expected[line], Got: got[s.got]}
		}
	}
	return &Difference{Line: line, Expected: expected[line], Missing: true}
}

func lastIndex(row []bool) int {
	for i, is := range slices.Backward(row) {
		if is {
			return i
		}
	}
	return -1
}

// Begins says how many of the lines that came complete the expected ones: what
// came may go on after them. It is -1 if they are not complete.
func Begins(expected, got []string) int {
	return slices.Index(reached(expected, got)[len(expected)], true)
}

// Possible says whether the lines that came are the expected ones so far, or a
// beginning of them, so that
// those may still be completed. It is false where more came.
func Possible(expected, got []string) bool {
	return slices.ContainsFunc(reached(expected, got), func(row []bool) bool { return row[len(got)] })
}

// reached says for each number of expected lines which numbers of those that
// came they match.
func reached(expected, got []string) [][]bool {
	a, b := tokenizeAll(expected), tokenizeAll(got)
	rows := make([][]bool, len(expected)+1)
	rows[0] = make([]bool, len(got)+1)
	rows[0][0] = true
	for i := range a {
		row, next := rows[i], make([]bool, len(got)+1)
		for j := range row {
			switch {
			case IsElision(expected[i]):
				next[j] = row[j] || j > 0 && next[j-1]
			case j > 0 && row[j-1]:
				next[j] = lineCost(a[i], b[j-1]) == 0
			}
		}
		rows[i+1] = next
	}
	return rows
}

// Updated returns the expected lines changed so that they match what came. Lines
// that match stay as they are, with what varies; so do elisions, and of a line
// that changed, the words that have not.
func Updated(expected, got []string) []string {
	path, _ := alignLines(expected, got)
	var out []string
	for _, s := range path {
		switch {
		case s.kind == same, s.kind == elided && s.expected >= 0:
			out = append(out, expected[s.expected])
		case s.kind == changed:
			out = append(out, updatedLine(expected[s.expected], got[s.got]))
		case s.kind == added:
			out = append(out, got[s.got])
		}
	}
	return out
}

// Trim is lines without spaces at their ends, and without the empty ones around
// them.
func Trim(lines []string) []string {
	var out []string
	for _, line := range lines {
		out = append(out, strings.TrimRight(line, " \t\r"))
	}
	for len(out) > 0 && out[0] == "" {
		out = out[1:]
	}
	for len(out) > 0 && out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	return out
}

// IsElision says whether a line stands for others.
func IsElision(line string) bool { return strings.TrimSpace(line) == elision }

func alignLines(expected, got []string) ([]step, float64) {
	a, b := tokenizeAll(expected), tokenizeAll(got)
	return align(len(a), len(b),
		func(i int) bool { return IsElision(expected[i]) },
		func(i, j int) float64 { return lineCost(a[i], b[j]) })
}

func tokenizeAll(lines []string) [][]token {
	out := make([][]token, len(lines))
	for i, line := range lines {
		out[i] = tokenize(line)
	}
	return out
}

// lineCost is 0 for lines that are the same, and more than taking one away and
// adding the other for lines without a word in common. A figure in place of
// another is half a word.
func lineCost(a, b []token) float64 {
	if equal(a, b) {
		return 0
	}
	path, cost := alignTokens(a, b)
	if cost == 0 {
		return 0
	}
	kept, all := 0.0, 0.0
	for _, s := range path {
		if s.kind == elided {
			continue
		}
		all++
		switch {
		case s.kind == same:
			kept++
		case s.kind == changed && a[s.expected].isFigure() && b[s.got].isFigure():
			kept += 0.5
		}
	}
	return 1 + (costMissing+costAdded)*(1-kept/all)
}

func equal(a, b []token) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].norm != b[i].norm {
			return false
		}
	}
	return true
}

func alignTokens(a, b []token) ([]step, float64) {
	return align(len(a), len(b),
		func(i int) bool { return a[i].elides() },
		func(i, j int) float64 {
			if a[i].norm == b[j].norm {
				return 0
			}
			return 4
		})
}

func updatedLine(expected, got string) string {
	a, b := tokenize(expected), tokenize(got)
	path, _ := alignTokens(a, b)
	var out strings.Builder
	for _, s := range path {
		switch {
		case s.kind == same, s.kind == elided && s.expected >= 0:
			out.WriteString(a[s.expected].text)
		case s.kind == changed, s.kind == added:
			out.WriteString(b[s.got].text)
		}
	}
	return out.String()
}
