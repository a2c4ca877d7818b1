// Package correct turns a list of corrected records into rows in the place of
// their rejects, and writes the list that people correct.
package correct

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/shared/record"
	"github.com/streamgauge/streamgauge/shared/stats"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// The columns of the list. Only source, line and record are read again.
const (
	columnSource = "source"
	columnLine   = "line"
	columnRecord = "record"
)

var columns = []string{columnSource, "name", columnLine, "column", "reason", columnRecord}

// Writer writes rejects as CSV with a header.
type Writer struct {
	csv   *csv.Writer
	begun bool
}

// NewWriter returns a Writer; nothing is written before the first call.
func NewWriter(out io.Writer) *Writer { return &Writer{csv: csv.NewWriter(out)} }

// Write writes one reject, whose record has to be whole.
func (w *Writer) Write(r *store.StoredReject) error {
	if err := w.begin(); err != nil {
		return err
	}
	return w.csv.Write([]string{r.Source, r.Name, strconv.FormatInt(r.Line, 10), r.Column, r.Reason, string(r.Raw)})
}

func (w *Writer) begin() error {
	if w.begun {
		return nil
	}
	w.begun = true
	return w.csv.Write(columns)
}

// Close writes the header where there was no reject, and what is buffered.
func (w *Writer) Close() error {
	if err := w.begin(); err != nil {
		return err
	}
	w.csv.Flush()
	return w.csv.Error()
}

// Database is where rejects stand; see store.Store.
type Database interface {
	Find(ctx context.Context, given string) (*wire.Load, error)
	Correct(ctx context.Context, corrections []store.Correction) (applied []bool, snapshot *stats.Snapshot, err error)
}

// atOnce is how many corrections are made in one transaction.
const atOnce = 500

// State is what became of one line of the list.
type State string

// The states.
const (
	// Corrected: the record is a row now.
	Corrected State = "corrected"
	// NotRejected: no reject stands on that line, or no longer: it was corrected before.
	NotRejected State = "not rejected"
	// StillWrong: the record can't be stored as it stands; nothing changed.
	StillWrong State = "still wrong"
)

// Outcome is what became of one line of the list.
type Outcome struct {
	Source string `json:"source"`
	Name   string `json:"name"`
	Line   int64  `json:"line"`
	State  State  `json:"state"`
	// Column and Reason say what is still wrong.
	Column string `json:"column,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// Replay reads a list as Writer writes it, and puts each record that can be
// stored into the place of its reject. It calls show with what became of each,
// in the order of the list. Running it again changes nothing.
func Replay(ctx context.Context, list io.Reader, database Database, show func(*Outcome) error) error {
	reader := csv.NewReader(list)
	reader.ReuseRecord = true
	header, err := reader.Read()
	if err != nil {
		return listError(err)
	}
	places, err := findColumns(header)
	if err != nil {
		return err
	}
	r := &replay{database: database, show: show, sources: make(map[string]*source)}
	for {
		fields, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return r.flush(ctx)
		}
		if err != nil {
			return errors.Join(r.flush(ctx), listError(err))
		}
		at, _ := reader.FieldPos(0)
		if err := r.add(ctx, fields[places[0]], fields[places[1]], fields[places[2]]); err != nil {
			return errors.Join(r.flush(ctx), fmt.Errorf("line %d of the list: %w", at, err))
		}
		if len(r.outcomes) == atOnce {
			if err := r.flush(ctx); err != nil {
				return err
			}
		}
	}
}

func listError(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("the list is empty. 'consumer rejects export' writes one")
	}
	if wrong, ok := errors.AsType[*csv.ParseError](err); ok {
		return fmt.Errorf("line %d of the list is no CSV: %w. Quote the record, and double the quotes in it", wrong.Line, wrong.Err)
	}
	return fmt.Errorf("read the list: %w", err)
}

func findColumns(header []string) ([3]int, error) {
	var places [3]int
	for i, name := range []string{columnSource, columnLine, columnRecord} {
		at := slices.IndexFunc(header, func(have string) bool {
			return strings.EqualFold(strings.TrimSpace(strings.TrimPrefix(have, "\ufeff")), name)
		})
		if at < 0 {
			return places, fmt.Errorf("the list has no column %s. 'consumer rejects export' writes one that has", name)
		}
		places[i] = at
	}
	return places, nil
}

// source is a load whose records are read.
type source struct {
	load   *wire.Load
	parser *record.Parser
}

// replay gathers corrections for one transaction.
type replay struct {
	database Database
	show     func(*Outcome) error
	sources  map[string]*source

	outcomes []Outcome
	// corrections has one for each outcome without a reason, in their order.
	corrections []store.Correction
}

func (r *replay) add(ctx context.Context, given, line, text string) error {
	number, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	if err != nil {
		return fmt.Errorf("%q is no line number. Change nothing in it but the column record", line)
	}
	src, err := r.source(ctx, given)
	if err != nil {
		return err
	}
	outcome := Outcome{Source: src.load.Source, Name: src.load.Name, Line: number}
	raw := []byte(text)
	row, reject := Parse(src.parser, src.load.Plan.Comma(), raw, number)
	if reject != nil {
		outcome.State, outcome.Column, outcome.Reason = StillWrong, reject.Column, string(reject.Reason)
	} else {
		r.corrections = append(r.corrections, store.Correction{Identity: src.load.Source, Line: number, Record: raw, Row: row})
	}
	r.outcomes = append(r.outcomes, outcome)
	return nil
}

func (r *replay) source(ctx context.Context, given string) (*source, error) {
	if src := r.sources[given]; src != nil {
		return src, nil
	}
	load, err := r.database.Find(ctx, given)
	if err != nil {
		return nil, err
	}
	parser, err := record.NewParser(load.Plan.Format)
	if err != nil {
		return nil, err
	}
	src := &source{load, parser}
	r.sources[given] = src
	return src, nil
}

// ReasonNotOne says that what stands in the list is not one record.
const ReasonNotOne record.Reason = "not one record: it is empty, or more than one"

// Parse reads what has to be one whole record, with or without a line end. A CR
// at its end is none: a reject's bytes end in one only where it was data. The
// bytes of a stored correction read so again.
func Parse(parser *record.Parser, delimiter byte, raw []byte, line int64) (record.Row, *record.Reject) {
	if bytes.HasSuffix(raw, []byte("\r")) {
		raw = append(slices.Clip(raw), "\r\n"...)
	}
	cutter := record.NewBodyCutter(raw, delimiter, line)
	rec, err := cutter.Next()
	if err != nil {
		return record.Row{}, &record.Reject{Line: line, Reason: ReasonNotOne}
	}
	row, reject := parser.Parse(rec)
	if _, err := cutter.Next(); reject == nil && !errors.Is(err, io.EOF) {
		return record.Row{}, &record.Reject{Line: line, Reason: ReasonNotOne}
	}
	row.Line = line
	return row, reject
}

func (r *replay) flush(ctx context.Context) error {
	var applied []bool
	if len(r.corrections) > 0 {
		var err error
		if applied, _, err = r.database.Correct(ctx, r.corrections); err != nil {
			return err
		}
	}
	for i := range r.outcomes {
		outcome := &r.outcomes[i]
		if outcome.State == "" {
			if outcome.State = NotRejected; applied[0] {
				outcome.State = Corrected
			}
			applied = applied[1:]
		}
		if err := r.show(outcome); err != nil {
			return err
		}
	}
	r.outcomes, r.corrections = r.outcomes[:0], r.corrections[:0]
	return nil
}
