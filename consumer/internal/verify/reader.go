package verify

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/shared/record"
)

// reader reads a file's records as its load's plan says.
type reader struct {
	cutter *record.Cutter
	parser *record.Parser
	// firstLine is where the first batch begins: what comes before is the header.
	firstLine int64
	begun     bool
	current   expectation
}

// markSize is the length of a UTF-8 byte order mark.
const markSize = 3

func newReader(from io.Reader, loaded *store.Loaded) (*reader, error) {
	parser, err := record.NewParser(loaded.Plan.Format)
	if err != nil {
		return nil, err
	}
	buffered := bufio.NewReaderSize(from, 256<<10)
	start, err := buffered.Peek(markSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if _, err := buffered.Discard(len(start) - len(record.TrimBOM(bytes.Clone(start)))); err != nil {
		return nil, err
	}
	return &reader{
		cutter:    record.NewCutter(buffered, loaded.Plan.Comma(), 1),
		parser:    parser,
		firstLine: loaded.FirstLine,
	}, nil
}

// next returns the next record that is data, nil at the end. It holds until the
// next call.
func (r *reader) next() (*expectation, error) {
	rec, err := r.cutter.Next()
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	e := &r.current
	*e = expectation{line: rec.Line, record: rec}
	e.row, e.reject = r.parser.Parse(rec)
	if !r.begun {
		r.begun = true
		// The plan does not say whether there is a header; the ledger does. While
		// it lacks the first batch, a first record that is no row is one.
		if rec.Line < r.firstLine || r.firstLine == 0 && e.reject != nil {
			return r.next()
		}
	}
	if rec.Fault == record.TooLong {
		digest := r.cutter.Digest()
		e.digest = digest[:]
	}
	return e, nil
}
