package report

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/streamgauge/streamgauge/consumer/internal/verify"
)

// widest is how many characters of a value stand in a column.
const widest = 24

// Verification prints what a comparison of a file with the database found.
func (p Printer) Verification(r *verify.Result) error {
	if p.JSON {
		return p.line(r)
	}
	verdict := "the same"
	if !r.Same {
		verdict = "differs"
	}
	fmt.Fprintf(p.Out, "%s  %s: %s, %d rejected\n  id  %s\n", Printable(r.File), verdict, Count(r.InFile.Rows, "row"), r.InFile.Rejected, r.Source)
	if r.OtherContent {
		fmt.Fprintf(p.Out, "  the file's content is not what was loaded under its name; it is now\n      %s\n", r.Content)
	}
	if r.Missing > 0 {
		fmt.Fprintf(p.Out, "  %d of its batches are not stored yet\n", r.Missing)
	}
	if !r.Same {
		if err := p.figures(r); err != nil {
			return err
		}
	}
	if err := p.differences(r); err != nil {
		return err
	}
	if r.Corrected == 0 {
		return nil
	}
	noun, lines := "lines", strings.Trim(fmt.Sprint(r.CorrectedLines), "[]")
	if r.Corrected == 1 {
		noun = "line"
	}
	more := ""
	if n := r.Corrected - int64(len(r.CorrectedLines)); n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	_, err := fmt.Fprintf(p.Out, "  corrected since it was loaded: %s %s%s\n", noun, lines, more)
	return err
}

func (p Printer) figures(r *verify.Result) error {
	w := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "  \tfile\tdatabase")
	for _, row := range []struct {
		name           string
		file, database any
	}{
		{"rows", r.InFile.Rows, r.InTables.Rows},
		{"rejected", r.InFile.Rejected, r.InTables.Rejected},
		{"count", r.InFile.Count, r.InTables.Count},
		{"nulls", r.InFile.Nulls, r.InTables.Nulls},
		{"sum", r.InFile.Sum, r.InTables.Sum},
		{"min", r.InFile.Min, r.InTables.Min},
		{"max", r.InFile.Max, r.InTables.Max},
	} {
		mark := ""
		if slices.Contains(r.Differing, row.name) {
			mark = "  <- differs"
		}
		fmt.Fprintf(w, "  %s\t%s\t%s%s\n", row.name, value(row.file), value(row.database), mark)
	}
	return w.Flush()
}

func (p Printer) differences(r *verify.Result) error {
	if r.Different == 0 {
		return nil
	}
	if len(r.Lines) == 0 {
		_, err := fmt.Fprintf(p.Out, "  lines that differ: %d\n", r.Different)
		return err
	}
	w := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "  line\twhat\tfile\tdatabase")
	named := make(map[int64]bool)
	for _, d := range r.Lines {
		named[d.Line] = true
		fmt.Fprintf(w, "  %d\t%s\t%s\t%s\n", d.Line, d.What, clip(d.File), clip(d.Database))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if more := r.Different - int64(len(named)); more > 0 {
		_, err := fmt.Fprintf(p.Out, "  and %d more lines\n", more)
		return err
	}
	return nil
}

// clip shows the beginning of a value that a file may have given.
func clip(text string) string {
	shown := []rune(Printable(text))
	if len(shown) > widest {
		shown = append(shown[:widest-1], '…')
	}
	return string(shown)
}
