package report

import (
	"fmt"

	"github.com/streamgauge/streamgauge/consumer/internal/store"
)

// Dead prints a message that was set aside, its contents left out.
func (p Printer) Dead(d *store.StoredDead) error {
	if p.JSON {
		return p.line(d)
	}
	claim := ""
	if d.Source != "" {
		claim = fmt.Sprintf(", batch %d of %.8s…", d.Batch, d.Source)
	}
	_, err := fmt.Fprintf(p.Out, "%s\n%s", fit(fmt.Sprintf("%d  %s, %d bytes on %s%s", d.ID, d.Time, len(d.Payload), Printable(d.Subject), claim), width),
		wrap(OneLine(d.Reason), "  "))
	return err
}

// DeadWhole prints a message that was set aside with all it holds.
func (p Printer) DeadWhole(d *store.StoredDead) error {
	if p.JSON {
		return p.line(d)
	}
	if err := p.Dead(d); err != nil {
		return err
	}
	_, err := fmt.Fprintf(p.Out, "  sequence  %d\n  recorded  %s\n  headers\n%s  payload\n%s", d.Sequence, d.RecordedAt, block(d.Headers), block(d.Payload))
	return err
}
