// Package verify holds a source against what the database has of it, record by
// record.
package verify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strings"

	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/shared/record"
	"github.com/streamgauge/streamgauge/shared/stats"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// Database is what a source is held against; see store.Store.
type Database interface {
	Records(ctx context.Context, identity, name string, compare func(*store.Loaded, func() (*store.Record, error)) error) error
}

// Config of Run.
type Config struct {
	// Label is the one the source was loaded with; empty for none.
	Label string
	// Limit is the most lines that are named in each list of a Result.
	Limit int
}

// Result is what a comparison found.
type Result struct {
	File string `json:"file"`
	// Source is the load that the file was held against, Content the file's own
	// SHA-256. They differ where only the name was found.
	Source  string `json:"source"`
	Content string `json:"content"`
	Same    bool   `json:"same"`
	// OtherContent says that the file's bytes are not those that were loaded.
	OtherContent bool `json:"other_content"`
	// Missing counts the load's batches that are not stored yet.
	Missing  int64         `json:"missing_batches"`
	InFile   store.Figures `json:"in_file"`
	InTables store.Figures `json:"in_database"`
	// Differing names the figures that are not the same.
	Differing []string `json:"differing_figures"`
	// Different counts the lines that differ, Lines are the first of them.
	Different int64        `json:"different_lines"`
	Lines     []Difference `json:"lines"`
	// Corrected counts the rejects that were corrected; they are the same when
	// the row is the correction's. CorrectedLines are the first of them.
	Corrected      int64   `json:"corrected"`
	CorrectedLines []int64 `json:"corrected_lines"`
}

// Difference is one line that is not the same on both sides.
type Difference struct {
	Line int64 `json:"line"`
	// What is a column's name, or what became of the whole record.
	What     string `json:"what"`
	File     string `json:"in_file"`
	Database string `json:"in_database"`
}

// What became of a whole record, beside the names of columns.
const (
	Record = "record"
	Raw    = "rejected bytes"
)

// Run reads the file called name twice: to find its load by its content, and to compare it.
// Its memory does not grow with the file.
func Run(ctx context.Context, name string, open func() (io.ReadCloser, error), database Database, config Config) (*Result, error) {
	content, err := digestOf(ctx, open)
	if err != nil {
		return nil, err
	}
	result := &Result{File: name, Content: hex.EncodeToString(content[:]), Differing: []string{}, Lines: []Difference{}, CorrectedLines: []int64{}}
	err = database.Records(ctx, wire.SourceID(content, config.Label), wire.Name(name), func(loaded *store.Loaded, next func() (*store.Record, error)) error {
		result.Source = loaded.Source
		stored, label, _ := strings.Cut(loaded.Source, "+")
		if config.Label != "" && label != config.Label {
			return &LabelError{Label: config.Label}
		}
		result.OtherContent = stored != result.Content
		result.Missing = loaded.Batches - loaded.Done
		result.InTables = loaded.Figures
		return compare(ctx, open, content, loaded, next, config.Limit, result)
	})
	if err != nil {
		return nil, err
	}
	result.conclude()
	return result, nil
}

// stopping ends a reading with its context.
type stopping struct {
	io.Reader

	ctx context.Context //nolint:containedctx // it lives as long as one reading
}

func (r stopping) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}

func digestOf(ctx context.Context, open func() (io.ReadCloser, error)) (digest [sha256.Size]byte, err error) {
	file, err := open()
	if err != nil {
		return digest, err
	}
	defer file.Close()
	whole := sha256.New()
	if _, err := io.CopyBuffer(struct{ io.Writer }{whole}, struct{ io.Reader }{stopping{file, ctx}}, make([]byte, 256<<10)); err != nil {
		return digest, err
	}
	return [sha256.Size]byte(whole.Sum(nil)), nil
}

// compare walks both sides by their lines.
func compare(ctx context.Context, open func() (io.ReadCloser, error), content [sha256.Size]byte,
	loaded *store.Loaded, next func() (*store.Record, error), limit int, result *Result,
) error {
	file, err := open()
	if err != nil {
		return err
	}
	defer file.Close()
	again := sha256.New()
	reader, err := newReader(io.TeeReader(stopping{file, ctx}, again), loaded)
	if err != nil {
		return err
	}
	w := &walk{result: result, limit: limit, parser: reader.parser, delimiter: loaded.Plan.Comma()}
	stored, err := next()
	if err != nil {
		return err
	}
	for {
		expected, err := reader.next()
		if err != nil {
			return err
		}
		for stored != nil && (expected == nil || stored.Line < expected.line) {
			w.extra(stored)
			if stored, err = next(); err != nil {
				return err
			}
		}
		if expected == nil {
			break
		}
		w.begin()
		for stored != nil && stored.Line == expected.line {
			w.meet(expected, stored)
			if stored, err = next(); err != nil {
				return err
			}
		}
		w.end(expected)
	}
	if [sha256.Size]byte(again.Sum(nil)) != content {
		return errors.New("it changed while it was read. Run the command again when nothing writes to it")
	}
	sums := w.tally.Sums()
	f := &result.InFile
	f.Rows, f.Count, f.Nulls, f.Rejected = w.tally.Rows, w.tally.Count, w.tally.Rows-w.tally.Count, w.rejected
	if f.Count > 0 {
		f.Sum, f.Min, f.Max = stats.Number(sums.Sum), stats.Number(sums.Min), stats.Number(sums.Max)
	}
	return nil
}

// expectation is one record of the file: a row, or a reject.
type expectation struct {
	line   int64
	record record.Record
	row    record.Row
	reject *record.Reject
	digest []byte
}
