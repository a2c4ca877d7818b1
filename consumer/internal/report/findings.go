package report

import (
	"fmt"

	"github.com/streamgauge/streamgauge/consumer/internal/doctor"
)

// Finding prints one thing that the doctor looked at, in lines of 80 columns.
func (p Printer) Finding(f *doctor.Finding) error {
	if p.JSON {
		return p.line(f)
	}
	const indent = "                     "
	text := Printable(f.Text)
	if f.Remedy != "" {
		text += ". " + Printable(f.Remedy)
	}
	_, err := fmt.Fprintf(p.Out, "%-8s %-11s %s", f.Level, f.Of, wrap(text, indent)[len(indent):])
	return err
}
