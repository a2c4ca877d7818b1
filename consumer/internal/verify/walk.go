package verify

import (
	"bytes"
	"fmt"
	"math/big"
	"time"

	"github.com/streamgauge/streamgauge/consumer/internal/correct"
	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/consumer/internal/tally"
	"github.com/streamgauge/streamgauge/shared/record"
	"github.com/streamgauge/streamgauge/shared/stats"
)

// walk is a comparison under way.
type walk struct {
	result *Result
	limit  int
	// parser and delimiter read corrections as they were read for the row.
	parser    *record.Parser
	delimiter byte
	// tally and rejected count what the file says, with corrections applied.
	tally    tally.Tally
	rejected int64

	// Of the line that both sides are at:
	met       bool // its row or reject was found
	differs   bool
	corrected bool
}

func (w *walk) begin() { w.met, w.differs, w.corrected = false, false, false }

// meet compares what the tables have on the line with what they should.
func (w *walk) meet(e *expectation, stored *store.Record) {
	switch {
	case w.met:
		w.note(e.line, Record, "once", "again: "+kindName(stored.Kind))
	case stored.Kind == store.KindCorrection:
		w.correct(e, stored)
	case stored.Kind == store.KindRow && e.reject == nil:
		w.met = true
		w.compareRow(e, stored)
	case stored.Kind == store.KindReject && e.reject != nil:
		w.met = true
		w.compareRaw(e, stored)
	default:
		w.met = true
		w.note(e.line, Record, expectedName(e), kindName(stored.Kind))
	}
}

// correct makes the row that the correction holds what is expected.
func (w *walk) correct(e *expectation, stored *store.Record) {
	if e.reject == nil {
		w.note(e.line, Record, "a row", "a corrected reject")
		return
	}
	w.compareRaw(e, stored)
	row, reject := correct.Parse(w.parser, w.delimiter, stored.Corrected, e.line)
	if reject != nil {
		w.note(e.line, Record, "a correction", "no row in it: "+string(reject.Reason))
		return
	}
	w.corrected = true
	e.row, e.reject = row, nil
}

func (w *walk) compareRow(e *expectation, stored *store.Record) {
	if e.row.Timestamp != stored.Timestamp {
		w.note(e.line, "timestamp", instant(e.row.Timestamp), instant(stored.Timestamp))
	}
	if e.row.Price.Null != (stored.Price == nil) || e.row.Price.String() != string(stored.Price) {
		w.note(e.line, "price", price(e.row.Price.String()), price(string(stored.Price)))
	}
	if e.row.UserID != stored.UserID {
		w.note(e.line, "user_id", fmt.Sprint(e.row.UserID), fmt.Sprint(stored.UserID))
	}
}

func (w *walk) compareRaw(e *expectation, stored *store.Record) {
	if !bytes.Equal(e.record.Raw(), stored.Raw) || e.record.Length != stored.Length || !bytes.Equal(e.digest, stored.Digest) {
		w.note(e.line, Raw, excerpt(e.record.Raw()), excerpt(stored.Raw))
	}
}

// end counts the line as the file has it, and notes what the tables lack.
func (w *walk) end(e *expectation) {
	if e.reject == nil {
		w.tally.Add(&e.row)
	} else {
		w.rejected++
	}
	if !w.met {
		w.note(e.line, Record, expectedName(e), "not there")
	}
	if w.corrected {
		if w.result.Corrected++; len(w.result.CorrectedLines) < w.limit {
			w.result.CorrectedLines = append(w.result.CorrectedLines, e.line)
		}
	}
}

// extra notes what the tables have on a line where the file has no record.
func (w *walk) extra(stored *store.Record) {
	w.differs = false
	w.note(stored.Line, Record, "not there", kindName(stored.Kind))
}

// note keeps a difference while there is room for it, and counts its line once.
func (w *walk) note(line int64, what, file, database string) {
	if !w.differs {
		w.differs = true
		w.result.Different++
	}
	if len(w.result.Lines) < w.limit {
		w.result.Lines = append(w.result.Lines, Difference{Line: line, What: what, File: file, Database: database})
	}
}

// conclude compares the figures. Least and greatest compare as numbers, since
// of equal prices with other scales either may be the one.
func (r *Result) conclude() {
	file, tables := &r.InFile, &r.InTables
	for _, figure := range []struct {
		name string
		same bool
	}{
		{"rows", file.Rows == tables.Rows},
		{"rejected", file.Rejected == tables.Rejected},
		{"count", file.Count == tables.Count},
		{"nulls", file.Nulls == tables.Nulls},
		{"sum", file.Sum == tables.Sum},
		{"min", sameNumber(file.Min, tables.Min)},
		{"max", sameNumber(file.Max, tables.Max)},
	} {
		if !figure.same {
			r.Differing = append(r.Differing, figure.name)
		}
	}
	r.Same = !r.OtherContent && r.Missing == 0 && r.Different == 0 && len(r.Differing) == 0
}

func sameNumber(a, b stats.Number) bool {
	x, ok := new(big.Rat).SetString(string(a))
	y, also := new(big.Rat).SetString(string(b))
	if !ok || !also {
		return a == b
	}
	return x.Cmp(y) == 0
}

func expectedName(e *expectation) string {
	if e.reject == nil {
		return "a row"
	}
	return "a reject"
}

func kindName(kind store.Kind) string {
	switch kind {
	case store.KindRow:
		return "a row"
	case store.KindReject:
		return "a reject"
	default:
		return "a correction"
	}
}

func instant(microseconds int64) string {
	return string(stats.TimeOf(time.UnixMicro(microseconds).UTC()))
}

func price(text string) string {
	if text == "" {
		return "null"
	}
	return text
}

// excerptSize is how many bytes of a record are shown.
const excerptSize = 60

// excerpt is the beginning of raw bytes, to be escaped by whoever shows it.
func excerpt(raw []byte) string {
	return string(raw[:min(len(raw), excerptSize)])
}
