package report

import (
	"fmt"

	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/shared/stats"
)

// Unloaded prints what was taken back, and the statistics of what is left.
func (p Printer) Unloaded(u *store.Unloaded) error {
	if p.JSON {
		return p.line(struct {
			Source   string          `json:"source"`
			Name     string          `json:"name"`
			Rows     int64           `json:"rows"`
			Rejected int64           `json:"rejected"`
			Batches  int64           `json:"batches"`
			Stats    *stats.Snapshot `json:"stats"`
		}{u.Source, u.Name, u.Rows, u.Rejected, u.Done, u.Snapshot})
	}
	s := u.Snapshot
	_, err := fmt.Fprintf(p.Out, "%s: %s, %s, %s taken back\nleft: rows %d, count %d, mean %s, min %s, max %s  (revision %d)\n",
		Printable(u.Name), Count(u.Rows, "row"), Count(u.Rejected, "reject"), Count(u.Done, "batch"), s.Rows, s.Count, value(s.Mean), value(s.Min), value(s.Max), s.Revision)
	return err
}
