package deliver

import (
	"fmt"

	"github.com/streamgauge/streamgauge/producer/internal/columns"
	"github.com/streamgauge/streamgauge/producer/internal/escape"
	"github.com/streamgauge/streamgauge/producer/internal/report"
	"github.com/streamgauge/streamgauge/shared/record"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// hintedValue is the most bytes of a value that stand in a hint.
const hintedValue = 40

// detail completes a reject by what its record holds, where all of it is known.
func detail(format record.Format, r *report.Reject) {
	if len(r.Raw) >= wire.MaxRaw {
		return
	}
	fields, wrong := record.SplitFields([]byte(r.Raw), format.Comma(), nil)
	if wrong != "" {
		return
	}
	at, known := map[string]int{"timestamp": format.Timestamp, "price": format.Price, "user_id": format.UserID}[r.Column]
	switch {
	case len(fields) != format.Fields:
		r.Fields, r.Columns = len(fields), format.Fields
	case known:
		value := string(fields[at])
		r.Value = &value
	}
}

// hints are options with which rejects would have been read, one a line.
func hints(format record.Format, rejects []report.Reject) []string {
	var lines []string
	told := make(map[string]bool)
	for i := range rejects {
		r := &rejects[i]
		if r.Value == nil {
			continue
		}
		option := columns.Hint(format, r.Column, *r.Value)
		if option == "" || told[r.Column] {
			continue
		}
		told[r.Column] = true
		lines = append(lines, fmt.Sprintf("%s would read the %s %s", option, r.Column, escape.Quote(*r.Value, hintedValue)))
	}
	return lines
}
