// Package escape makes bytes from outside safe to show: names of files and
// columns, the raw bytes of a record. What it returns holds only printable
// characters, so that no file can write lines of its own into a log or send
// sequences to a terminal.
package escape

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// nameLimit is the most bytes of a name that are shown.
const nameLimit = 120

// Name returns s as it is where that is harmless and unambiguous, and quoted
// as Go quotes a string where it is not. A long name loses its end.
func Name(s string) string {
	if s != "" && len(s) <= nameLimit && isPlain(s) {
		return s
	}
	return Quote(s, nameLimit)
}

// Quote returns s quoted as Go quotes a string. Of more than limit bytes it
// shows the first, cut between characters, and an ellipsis behind the quotes.
func Quote[T string | []byte](s T, limit int) string {
	if len(s) <= limit {
		return strconv.Quote(string(s))
	}
	for back := 0; back < utf8.UTFMax-1 && limit > 0 && !utf8.RuneStart(s[limit]); back++ {
		limit--
	}
	return strconv.Quote(string(s[:limit])) + "…"
}

// Names returns names quoted and joined by commas, the first of them and how
// many more there are when they are many.
func Names(names []string) string {
	const shown, each = 20, 40
	var list strings.Builder
	for i, name := range names {
		if i == shown {
			list.WriteString(" and " + strconv.Itoa(len(names)-shown) + " more")
			break
		}
		if i > 0 {
			list.WriteString(", ")
		}
		list.WriteString(Quote(name, each))
	}
	return list.String()
}

func isPlain(s string) bool {
	if !utf8.ValidString(s) || strings.TrimSpace(s) != s {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) || r == '"' || r == '\\' {
			return false
		}
	}
	return true
}
