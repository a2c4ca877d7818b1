// Package report prints what became of each source, for people or as JSON.
package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/streamgauge/streamgauge/producer/internal/escape"
)

// State is how far a source has come.
type State string

// The states of a source, as they stand in the JSON.
const (
	Committed   State = "committed"   // all of it is in the database
	Queued      State = "queued"      // all of it is in the stream, and not necessarily in the database
	Empty       State = "empty"       // it has no records, and nothing was sent
	Checked     State = "checked"     // a dry run
	Dead        State = "dead"        // some batches were set aside, the rest is in the database
	Refused     State = "refused"     // nothing was sent, because of what is loaded already
	Failed      State = "failed"      // see Error
	Interrupted State = "interrupted" // stopped on request; the same command continues
)

// File is what became of one source. As JSON it is one line.
type File struct {
	// Name is the file's name without folders, Source its id.
	Name   string `json:"file"`
	Source string `json:"source,omitempty"`
	State  State  `json:"state"`
	// Records and Batches are what the file holds.
	Records int64 `json:"records"`
	Batches int64 `json:"batches"`
	// New and Loaded are how many records were not and were in the database at
	// the start; nil when no consumer answered.
	New    *int64 `json:"new"`
	Loaded *int64 `json:"already_loaded"`
	// Rows and Rejected are what the database has of the source, or would have
	// after a dry run; nil when that is not known.
	Rows     *int64 `json:"rows"`
	Rejected *int64 `json:"rejected"`
	// Rejects are the first few.
	Rejects []Reject `json:"rejects,omitempty"`
	// Hints say how the rejects would have been read.
	Hints []string `json:"-"`
	// Error is the cause and the remedy of a failure.
	Error string `json:"error,omitempty"`
}

// Reject is a record that could not be stored.
type Reject struct {
	Line   int64  `json:"line"`
	Column string `json:"column,omitempty"`
	// Value is what stands in the column; nil where that is not known.
	Value  *string `json:"value,omitempty"`
	Reason string  `json:"reason"`
	// Raw is the beginning of the record, bytes that are no UTF-8 replaced.
	Raw string `json:"raw"`
	// Fields is how many fields the record has, where it has not as many as the
	// source has columns; zero elsewhere.
	Fields, Columns int `json:"-"`
}

// rawShown and valueShown are the most bytes of a record, and of a value, that
// are shown to people.
const (
	rawShown   = 80
	valueShown = 40
)

// Printer writes to one output. It is not safe for concurrent use.
type Printer struct {
	Out  io.Writer
	JSON bool
}

// File prints one source. A failed one gives no line for people: its error does.
func (p *Printer) File(f *File) error {
	if p.JSON {
		line, err := encode(f)
		if err != nil {
			return err
		}
		return p.write(line + "\n")
	}
	if line := f.summary(); line != "" {
		return p.write(escape.Name(f.Name) + ": " + line + "\n")
	}
	return nil
}

func (p *Printer) write(s string) error {
	if _, err := io.WriteString(p.Out, s); err != nil {
		return fmt.Errorf("what was done can't be told on standard output: %w. Send it elsewhere, and run the same command again", err)
	}
	return nil
}

func (f *File) summary() string {
	batches := count(f.Batches, "batch", "batches")
	switch f.State {
	case Empty:
		return "0 records"
	case Checked:
		return fmt.Sprintf("%s, %s, %d rejected, %s, nothing sent, id %s",
			count(f.Records, "record", "records"), count(*f.Rows, "row", "rows"), *f.Rejected, batches, f.Source)
	case Committed, Dead:
		line := fmt.Sprintf("%s, %s, committed: %s, %d rejected", f.progress(), batches, count(*f.Rows, "row", "rows"), *f.Rejected)
		if f.State == Dead {
			line += fmt.Sprintf(", %d in dead batches", f.Records-*f.Rows-*f.Rejected)
		}
		return line
	case Queued:
		return fmt.Sprintf("%s, %s, queued", f.progress(), batches)
	case Refused, Failed, Interrupted:
	}
	return ""
}

func (f *File) progress() string {
	if f.New == nil {
		return fmt.Sprintf("%d sent", f.Records)
	}
	return fmt.Sprintf("%d new, %d already loaded", *f.New, *f.Loaded)
}

// RejectLines are a line for each of the rejects given, one for the others, and
// the hints.
func (f *File) RejectLines() []string {
	lines := make([]string, 0, len(f.Rejects)+1)
	for i := range f.Rejects {
		lines = append(lines, fmt.Sprintf("%s:%d: %s", escape.Name(f.Name), f.Rejects[i].Line, f.Rejects[i].text()))
	}
	if f.Rejected != nil && *f.Rejected > int64(len(f.Rejects)) {
		lines = append(lines, fmt.Sprintf("%s: %d more rejected", escape.Name(f.Name), *f.Rejected-int64(len(f.Rejects))))
	}
	for _, hint := range f.Hints {
		lines = append(lines, escape.Name(f.Name)+": "+hint)
	}
	return lines
}

// text is where in its line the record is wrong, the value there, what was
// expected, and the record.
func (r *Reject) text() string {
	record := escape.Quote(r.Raw, rawShown)
	reason := escape.Name(r.Reason)
	switch {
	case r.Fields > 0:
		return fmt.Sprintf("%s (%d, not %d): %s", reason, r.Fields, r.Columns, record)
	case r.Column == "":
		return reason + ": " + record
	case r.Value != nil && *r.Value == "" && strings.HasPrefix(r.Reason, r.Column):
		return reason + ", in " + record
	case r.Value != nil:
		return fmt.Sprintf("%s %s: %s, in %s", escape.Name(r.Column), escape.Quote(*r.Value, valueShown), reason, record)
	}
	return fmt.Sprintf("%s: %s, in %s", escape.Name(r.Column), reason, record)
}

func count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// encode returns f as one line of JSON in which every character that is not
// printable is escaped.
func encode(f *File) (string, error) {
	var raw bytes.Buffer
	enc := json.NewEncoder(&raw)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(f); err != nil {
		return "", fmt.Errorf("encode the report: %w", err)
	}
	var line strings.Builder
	for _, r := range strings.TrimSuffix(raw.String(), "\n") {
		switch {
		case unicode.IsPrint(r):
			line.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&line, `\u%04x\u%04x`, (r-0x10000)>>10+0xd800, (r-0x10000)&0x3ff+0xdc00)
		default:
			fmt.Fprintf(&line, `\u%04x`, r)
		}
	}
	return line.String(), nil
}
