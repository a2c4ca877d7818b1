package columns

import (
	"fmt"
	"strings"

	"github.com/streamgauge/streamgauge/producer/internal/escape"
)

// MissingError says which required columns a file lacks. Its text names the
// columns the file has and the likely remedy.
type MissingError struct {
	// Missing are their names in the file, Required the columns they are to be.
	Missing   []string
	Required  []string
	Have      []string
	Delimiter byte
}

func (e *MissingError) Error() string {
	noun := "column"
	if len(e.Missing) > 1 {
		noun = "columns"
	}
	return fmt.Sprintf("it has no %s %s, only %s. %s",
		noun, escape.Names(e.Missing), escape.Names(e.Have), e.remedy())
}

func (e *MissingError) remedy() string {
	all := strings.Join(e.Have, "")
	switch {
	case strings.ContainsRune(all, 0), strings.HasPrefix(all, "\xff\xfe"), strings.HasPrefix(all, "\xfe\xff"):
		return "It looks like UTF-16: convert it to UTF-8 first, as with iconv -f UTF-16 -t UTF-8"
	case strings.Contains(strings.TrimRight(all, "\r"), "\r"):
		return "Its lines end in CR alone, it seems: make them LF first, as with tr '\\r' '\\n'"
	}
	if start := strings.ToLower(strings.TrimSpace(all)); strings.HasPrefix(start, "<!doctype") || strings.HasPrefix(start, "<html") {
		return "It is a web page: download the file itself"
	}
	if len(e.Have) == 1 {
		for _, other := range []struct{ delimiter, flag string }{{";", "';'"}, {"\t", "tab"}, {"|", "'|'"}, {",", "','"}} {
			if other.delimiter != string(e.Delimiter) && strings.Contains(e.Have[0], other.delimiter) {
				return "Its header looks separated otherwise: try --delimiter " + other.flag
			}
		}
	}
	if looksLikeData(e.Have) {
		return "Its first line looks like data: try --no-header"
	}
	return fmt.Sprintf("Say which one it is with --map %s=NAME", e.Required[0])
}

// looksLikeData tells by a field that begins as numbers and dates do, which
// names of columns do not.
func looksLikeData(fields []string) bool {
	for _, field := range fields {
		field = strings.TrimLeft(field, " \t+-")
		if field != "" && field[0] >= '0' && field[0] <= '9' {
			return true
		}
	}
	return false
}

// DuplicateError says that a required column stands in a file more than once.
type DuplicateError struct {
	Column string
	Count  int
}

func (e *DuplicateError) Error() string {
	return fmt.Sprintf("it has %d columns called %s, and which of them counts can't be told. Rename all but one",
		e.Count, escape.Quote(e.Column, 40))
}
