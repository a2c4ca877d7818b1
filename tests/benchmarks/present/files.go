package present

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/streamgauge/streamgauge/tests/benchmarks/result"
)

// Names of the files. What stands outside the marks in the document is written
// by hand and stays.
const (
	document = "benchmarks.md"
	data     = "benchmarks.json"
	plot     = "benchmarks.svg"

	markBegin = "<!-- begin: written by make bench -->\n"
	markEnd   = "<!-- end: written by make bench -->\n"
)

// Write writes the report into a folder: the data, the plot, and the tables
// between the marks of the document.
func Write(dir string, r *result.Report) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, data), append(text, '\n'), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, plot), []byte(Plot(r)), 0o644); err != nil {
		return err
	}
	path := filepath.Join(dir, document)
	old, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	whole, err := between(string(old), Tables(r))
	if err != nil {
		return fmt.Errorf("%s: %w", document, err)
	}
	return os.WriteFile(path, []byte(whole), 0o644)
}

// between puts the tables between the marks; a document that does not exist yet
// is the marks alone.
func between(old, tables string) (string, error) {
	if old == "" {
		old = markBegin + markEnd
	}
	before, rest, begins := strings.Cut(old, markBegin)
	_, after, ends := strings.Cut(rest, markEnd)
	if !begins || !ends {
		return "", fmt.Errorf("the marks %q and %q are not there", strings.TrimSpace(markBegin), strings.TrimSpace(markEnd))
	}
	return before + markBegin + "\n" + tables + markEnd + after, nil
}
