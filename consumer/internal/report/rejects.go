package report

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/streamgauge/streamgauge/consumer/internal/correct"
	"github.com/streamgauge/streamgauge/consumer/internal/store"
)

// width is how many columns a terminal has at least.
const width = 80

// Reject prints a reject in two lines or more, its record as far as it fits.
func (p Printer) Reject(r *store.StoredReject) error {
	if p.JSON {
		return p.line(r)
	}
	_, err := fmt.Fprintf(p.Out, "%s\n%s%s", fit(place(r.Name, r.Line)+"  "+quoted(r.Raw), width), reason(r.Column, r.Reason), cutNote(r))
	return err
}

// RejectWhole prints a reject with all that is known of it.
func (p Printer) RejectWhole(r *store.StoredReject) error {
	if p.JSON {
		return p.line(r)
	}
	_, err := fmt.Fprintf(p.Out, "%s\n  source    %s\n  batch     %d\n  rejected  %s\n%s%s  record\n%s",
		place(r.Name, r.Line), r.Source, r.Batch, r.RejectedAt, reason(r.Column, r.Reason), cutNote(r), block(r.Raw))
	return err
}

// Replayed prints what became of one line of a list of corrections.
func (p Printer) Replayed(o *correct.Outcome) error {
	if p.JSON {
		return p.line(o)
	}
	var err error
	switch o.State {
	case correct.StillWrong:
		_, err = fmt.Fprintf(p.Out, "%s  still wrong\n%s", place(o.Name, o.Line), reason(o.Column, o.Reason))
	case correct.NotRejected:
		_, err = fmt.Fprintf(p.Out, "%s  no reject, or corrected already\n", place(o.Name, o.Line))
	case correct.Corrected:
		_, err = fmt.Fprintf(p.Out, "%s  corrected\n", place(o.Name, o.Line))
	}
	return err
}

func place(name string, line int64) string { return fmt.Sprintf("%s:%d", Printable(name), line) }

func reason(column, text string) string {
	if column != "" {
		text = column + ": " + text
	}
	return wrap(text, "  ")
}

func cutNote(r *store.StoredReject) string {
	if !r.Cut() {
		return ""
	}
	return fmt.Sprintf("  %d bytes; only the first %d are kept. SHA-256 of all:\n  %s\n", r.Length, len(r.Raw), hex.EncodeToString(r.Digest))
}

// quoted shows bytes that a file may have given.
func quoted(raw []byte) string { return fmt.Sprintf("%q", raw) }

// block shows bytes in full, a line of the terminal after the other.
func block(raw []byte) string {
	var b strings.Builder
	for shown := []rune(quoted(raw)); len(shown) > 0; {
		n := min(len(shown), width-4)
		fmt.Fprintf(&b, "    %s\n", string(shown[:n]))
		shown = shown[n:]
	}
	return b.String()
}

// fit cuts a line to so many columns.
func fit(line string, columns int) string {
	shown := []rune(line)
	if len(shown) > columns {
		shown = append(shown[:columns-1], '…')
	}
	return string(shown)
}

// wrap breaks a text between words, each line behind the indent.
func wrap(text, indent string) string {
	var b strings.Builder
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len([]rune(indent+line+" "+word)) > width {
			b.WriteString(indent + line + "\n")
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	if line != "" {
		b.WriteString(indent + line + "\n")
	}
	return b.String()
}
