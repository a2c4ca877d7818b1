package commandline

import (
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// indent stands before each line of a text but the first.
const indent = "  "

// Columns is how wide the terminal is that out is; 0 where out is none, and so
// no line is too long. One that does not say how wide it is has 80.
func Columns(out any) int {
	file, is := out.(*os.File)
	if !is || !term.IsTerminal(int(file.Fd())) {
		return 0
	}
	if columns, _, err := term.GetSize(int(file.Fd())); err == nil && columns > 0 {
		return columns
	}
	return width
}

// Break breaks a line between words where it is wider than columns characters,
// 0 being no limit. A word that is wider stays whole.
func Break(line string, columns int) string {
	var broken strings.Builder
	for columns > 0 && utf8.RuneCountInString(line) > columns {
		at := lastSpace(line, columns)
		if at < 0 {
			break
		}
		broken.WriteString(strings.TrimRight(line[:at], " ") + "\n")
		line = indent + strings.TrimLeft(line[at:], " ")
	}
	return broken.String() + line
}

// lastSpace is where in line the last space stands after which no more than
// columns characters have come, or else the first one; behind the indent.
func lastSpace(line string, columns int) int {
	last, seen := -1, 0
	for at, r := range line {
		if r == ' ' && at >= len(indent) {
			if seen > columns && last >= 0 {
				break
			}
			last = at
		}
		if seen++; seen > columns+1 && last >= 0 {
			break
		}
	}
	return last
}
