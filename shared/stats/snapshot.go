// Package stats is the snapshot: the statistics at one revision, as the
// consumer publishes them on stats.price and anyone may read them.
package stats

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
	"unicode"
)

// Snapshot is the statistics of one metric at one revision. As JSON it is one
// line, the payload of a message on stats.price. Its numbers are PostgreSQL's:
// every field but the identifying ones and the quantiles equals the aggregate
// named beside it, over the rows that were committed at Revision.
type Snapshot struct {
	// Metric is the column measured: "price".
	Metric string `json:"metric"`
	// Database is a random id from the database's first migration. Revisions
	// compare only within one database.
	Database string `json:"database"`
	// Revision is the commit order: it rises by one with every transaction that
	// changed the statistics. Zero is the empty database.
	Revision int64 `json:"revision"`

	Rows     int64 `json:"rows"`     // count(*)
	Count    int64 `json:"count"`    // count(price)
	Nulls    int64 `json:"nulls"`    // count(*) - count(price)
	Rejected int64 `json:"rejected"` // records set aside
	Dead     int64 `json:"dead"`     // messages set aside whole

	Sum    Number `json:"sum"`    // sum(price)
	Mean   Number `json:"mean"`   // avg(price)
	Min    Number `json:"min"`    // min(price)
	Max    Number `json:"max"`    // max(price)
	StdDev Number `json:"stddev"` // stddev_samp(price)

	// What 50, 95 and 99 percent of the prices do not exceed, off by at most 1 %
	// of percentile_disc(0.5), (0.95) and (0.99) WITHIN GROUP (ORDER BY price).
	P50 Number `json:"p50"`
	P95 Number `json:"p95"`
	P99 Number `json:"p99"`

	First Time `json:"first"` // min(timestamp)
	Last  Time `json:"last"`  // max(timestamp)

	// Source is the name of a source whose rows were in this revision's
	// transaction. It is whatever the file was called; Line escapes it.
	Source    string `json:"source"`
	UpdatedAt Time   `json:"updated_at"`
}

// Number is a decimal as PostgreSQL prints it, with all its digits and its
// scale. Empty is SQL's NULL, and null in JSON.
type Number string

// MarshalJSON writes the digits as they are, as a JSON number.
func (n Number) MarshalJSON() ([]byte, error) {
	if n == "" {
		return []byte("null"), nil
	}
	return []byte(n), nil
}

// UnmarshalJSON keeps a JSON number's digits as they are.
func (n *Number) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*n = ""
		return nil
	}
	var digits json.Number
	if err := json.Unmarshal(text, &digits); err != nil {
		return err
	}
	*n = Number(digits)
	return nil
}

// Time is an instant in RFC 3339, in UTC, to the microsecond. Empty is SQL's
// NULL, and null in JSON.
type Time string

// TimeOf returns t in the form that Time has.
func TimeOf(t time.Time) Time {
	return Time(t.UTC().Truncate(time.Microsecond).Format(time.RFC3339Nano))
}

// MarshalJSON writes a JSON string, or null.
func (t Time) MarshalJSON() ([]byte, error) {
	if t == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(t))
}

// Parse returns the instant; it fails for NULL.
func (t Time) Parse() (time.Time, error) { return time.Parse(time.RFC3339Nano, string(t)) }

// Encode returns the snapshot as a Line.
func (s *Snapshot) Encode() ([]byte, error) {
	line, err := Line(s)
	if err != nil {
		return nil, fmt.Errorf("encode snapshot: %w", err)
	}
	return line, nil
}

// Line returns v as one line of JSON without a newline. Every character that is
// not printable is escaped, so that a file's name can do nothing to the
// terminal that shows it.
func Line(v any) ([]byte, error) {
	var line bytes.Buffer
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return escapeUnprintable(bytes.TrimSuffix(line.Bytes(), []byte("\n"))), nil
}

// Decode reads a snapshot, ignoring fields it does not know, so that readers of
// this version also read later ones.
func Decode(line []byte) (Snapshot, error) {
	var s Snapshot
	if err := json.Unmarshal(line, &s); err != nil {
		return Snapshot{}, fmt.Errorf("not a snapshot: %w", err)
	}
	return s, nil
}

// Supersedes says whether s may follow last for a subscriber that keeps only
// what is new: it is of another database, or of a higher revision.
func (s *Snapshot) Supersedes(last *Snapshot) bool {
	return s.Database != last.Database || s.Revision > last.Revision
}

// escapeUnprintable works on encoded JSON, in which a character outside ASCII
// stands only within a string.
func escapeUnprintable(text []byte) []byte {
	var out []byte
	kept := 0
	for i, r := range string(text) {
		if r < 0x7f || unicode.IsPrint(r) {
			continue
		}
		out = append(out, text[kept:i]...)
		if r > 0xffff {
			high, low := (r-0x10000)>>10+0xd800, (r-0x10000)&0x3ff+0xdc00
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		} else {
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		kept = i + len(string(r))
	}
	return append(out, text[kept:]...)
}
