package stats

import (
	"encoding/json"
	"fmt"
)

// By is what rows are grouped by.
type By string

// Of these, the statistics of sources and days are kept as rows come, a month's
// are the sum of its days', and a user's are a query over all rows. Days and
// months are those of UTC.
const (
	BySource By = "source"
	ByDay    By = "day"
	ByMonth  By = "month"
	ByUser   By = "user"
)

// Group is the statistics of a part of the rows: those of a source, a day, a
// month or a user. As JSON it is one line; those of a source and of a day are
// the payload of messages below stats.price. Its figures mean what those of a
// Snapshot mean, over the rows of the group.
type Group struct {
	Metric   string `json:"metric"`
	Database string `json:"database"`
	// Revision is that of the last change of the group; of a month the greatest
	// of its days.
	Revision int64 `json:"revision"`
	By       By    `json:"by"`
	// Key is a source's identity, 2012-01-10, 2012-01, or a user id.
	Key string `json:"key"`
	// Name is what a source's file was called, else empty. Line escapes it.
	Name string `json:"name,omitempty"`

	// Rows is zero where the loads that had the group's rows were taken back.
	Rows  int64 `json:"rows"`
	Count int64 `json:"count"`
	Nulls int64 `json:"nulls"`

	Sum    Number `json:"sum"`
	Mean   Number `json:"mean"`
	Min    Number `json:"min"`
	Max    Number `json:"max"`
	StdDev Number `json:"stddev"`
	P50    Number `json:"p50"`
	P95    Number `json:"p95"`
	P99    Number `json:"p99"`
}

// Encode returns the group as a Line.
func (g *Group) Encode() ([]byte, error) {
	line, err := Line(g)
	if err != nil {
		return nil, fmt.Errorf("encode the statistics of a group: %w", err)
	}
	return line, nil
}

// DecodeGroup reads a group, ignoring fields it does not know, as Decode does.
func DecodeGroup(line []byte) (Group, error) {
	var g Group
	if err := json.Unmarshal(line, &g); err != nil {
		return Group{}, fmt.Errorf("not the statistics of a group: %w", err)
	}
	return g, nil
}
