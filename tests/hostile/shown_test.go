package hostile

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// checkShown fails the test unless every character of what a person is shown is
// printable: no control character but the line end, none that turns text around
// or that nobody sees, and nothing but UTF-8.
func checkShown(t *testing.T, what, text string) {
	t.Helper()
	for _, fault := range unshowable(text) {
		t.Errorf("%s: %s", what, fault)
	}
}

// unshowable says of each line with something that must not be shown what it is.
func unshowable(text string) (faults []string) {
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if !utf8.ValidString(line) {
			faults = append(faults, fmt.Sprintf("no UTF-8: %.300q", line))
			continue
		}
		if i := strings.IndexFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
			r, _ := utf8.DecodeRuneInString(line[i:])
			faults = append(faults, fmt.Sprintf("%U: %.300q", r, line[max(0, i-100):]))
		}
	}
	return faults
}

// checkShownJSON is checkShown for values of JSON, one a line.
func checkShownJSON(t *testing.T, what, text string) {
	t.Helper()
	checkShown(t, what, text)
	if text != "" && !strings.HasSuffix(text, "\n") {
		t.Errorf("%s: its last line has no end: %.300q", what, text)
	}
	for line := range strings.Lines(text) {
		if !json.Valid([]byte(line)) {
			t.Errorf("%s: no JSON: %.300q", what, line)
		}
	}
}

func TestUnshowable(t *testing.T) {
	for name, text := range map[string]string{
		"escape": "a\x1b[2Jb\n", "C1": "a\u009bb\n", "C1 byte": "a\x9bb\n", "CR": "a\rb\n", "DEL": "\x7f",
		"override": "a\u202eb\n", "zero width": "a\u200bb\n", "mark": "\ufeffa\n", "NUL": "\x00", "tab": "a\tb",
	} {
		t.Run(name, func(t *testing.T) {
			if unshowable(text) == nil {
				t.Errorf("%q may be shown", text)
			}
		})
	}
	checkShown(t, "plain", "año 2012, “a” → b\n\n\ufffd\n")
}
