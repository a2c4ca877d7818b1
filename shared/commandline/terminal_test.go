package commandline_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/streamgauge/streamgauge/shared/commandline"
)

func TestBreak(t *testing.T) {
	for _, c := range []struct {
		line    string
		columns int
		want    string
	}{
		{"one two three", 0, "one two three"},
		{"one two three", 13, "one two three"},
		{"one two three", 12, "one two\n  three"},
		{"one two three", 7, "one two\n  three"},
		{"one two three", 5, "one\n  two\n  three"},
		{"one  two", 6, "one\n  two"},
		{"a  b  c d", 7, "a  b  c\n  d"},
		{"unbreakable", 5, "unbreakable"},
		{"unbreakable word", 5, "unbreakable\n  word"},
		{"word unbreakable word", 8, "word\n  unbreakable\n  word"},
		{"año mes día", 7, "año mes\n  día"},
		{"", 5, ""},
		{"      ", 3, "\n  "},
	} {
		if got := commandline.Break(c.line, c.columns); got != c.want {
			t.Errorf("%q in %d columns: %q, want %q", c.line, c.columns, got, c.want)
		}
	}
}

func TestColumnsOfNoTerminal(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	nowhere, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer nowhere.Close()
	for _, out := range []any{file, nowhere, new(bytes.Buffer), nil} {
		if got := commandline.Columns(out); got != 0 {
			t.Errorf("%T: %d columns", out, got)
		}
	}
}
