// Package survey reads a source for the first time: what it is, how it is to be
// read, how many records and batches it has. With that it cuts the source
// again, as often as needed, into the same batches.
package survey

import (
	"context"
	"errors"
	"io"

	"github.com/streamgauge/streamgauge/producer/internal/batch"
	"github.com/streamgauge/streamgauge/producer/internal/columns"
	"github.com/streamgauge/streamgauge/producer/internal/source"
	"github.com/streamgauge/streamgauge/shared/record"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// Visit is called with each batch in order. The part's body is buf, or what buf
// grew into, and belongs to the callee, who gives the buffer for the next one;
// giving the same back is fine once it is done with it.
type Visit func(part batch.Part) (next []byte, err error)

// Survey is a source that was read once. It is not safe for concurrent use.
type Survey struct {
	source.Fingerprint
	// Plan is how the source is read and cut.
	Plan wire.Plan
	// Records and Batches count what Plan cuts the source into.
	Records, Batches int64

	file   io.ReaderAt
	header bool
}

// Read reads file to its end. A visit of nil just counts. An error that has to
// do with the source's beginning is an *EmptyError, a *HeaderError, or from
// package columns.
func Read(ctx context.Context, file io.ReaderAt, o columns.Options, batchSize int, visit func(record.Format, batch.Part) error) (*Survey, error) {
	s := &Survey{Plan: wire.Plan{BatchSize: batchSize}, file: file, header: !o.NoHeader}
	digester := source.NewDigester(io.NewSectionReader(file, 0, 1<<62))
	defer digester.Close()
	cutter, err := open(digester, o.Comma())
	if err != nil {
		return nil, err
	}
	names := o.FileColumns()
	if s.header {
		if names, err = readHeader(cutter, o.Comma()); err != nil {
			return nil, err
		}
	}
	if s.Plan.Format, err = columns.Match(names, o); err != nil {
		return nil, err
	}
	err = s.group(ctx, cutter, nil, s.count(func(part batch.Part) error {
		if visit == nil {
			return nil
		}
		return visit(s.Plan.Format, part)
	}))
	if err != nil {
		return nil, err
	}
	s.Fingerprint = digester.Fingerprint()
	return s, nil
}

// Adopt counts the batches again for another batch size.
func (s *Survey) Adopt(ctx context.Context, batchSize int) error {
	s.Plan.BatchSize = batchSize
	return s.Cut(ctx, nil, s.count(func(batch.Part) error { return nil }))
}

// count counts what visit is called with, from nothing.
func (s *Survey) count(visit func(batch.Part) error) Visit {
	s.Records, s.Batches = 0, 0
	return func(part batch.Part) ([]byte, error) {
		s.Records += int64(part.Records)
		s.Batches = part.Number
		return part.Body, visit(part)
	}
}

// Cut reads the source again, verifying it, and visits its batches; buf is the
// buffer for the first. It fails with source.ErrChanged before any batch that
// holds bytes other than the first reading's.
func (s *Survey) Cut(ctx context.Context, buf []byte, visit Visit) error {
	cutter, err := open(s.Verify(s.file), s.Plan.Comma())
	if err != nil {
		return err
	}
	if s.header {
		if _, err := cutter.Next(); err != nil {
			return err
		}
	}
	return s.group(ctx, cutter, buf, visit)
}

// Unchanged fails with source.ErrChanged if the source has grown since it was
// first read.
func (s *Survey) Unchanged() error {
	same, err := s.Same(s.file)
	if err == nil && !same {
		err = source.ErrChanged
	}
	return err
}

// Beginnings returns the SHA-256 of the source's first sizes[i] bytes for each
// i; no size may be larger than the source's own.
func (s *Survey) Beginnings(sizes []int64) (map[int64][32]byte, error) {
	return source.Beginnings(s.file, sizes)
}

func (s *Survey) group(ctx context.Context, cutter *record.Cutter, buf []byte, visit Visit) error {
	grouper := batch.New(cutter, s.Plan.BatchSize)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		part, err := grouper.Next(buf)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if buf, err = visit(part); err != nil {
			return err
		}
	}
}

func open(r io.Reader, delimiter byte) (*record.Cutter, error) {
	r, err := source.SkipMark(r)
	if err != nil {
		return nil, err
	}
	return record.NewCutter(r, delimiter, 1), nil
}

func readHeader(cutter *record.Cutter, delimiter byte) ([]string, error) {
	rec, err := cutter.Next()
	if errors.Is(err, io.EOF) {
		return nil, &EmptyError{}
	}
	if err != nil {
		return nil, err
	}
	switch rec.Fault {
	case record.OpenQuote:
		return nil, &HeaderError{record.ReasonOpenQuote}
	case record.TooLong:
		return nil, &HeaderError{record.ReasonTooLong}
	}
	fields, reason := record.SplitFields(rec.Raw(), delimiter, nil)
	if reason != "" {
		return nil, &HeaderError{reason}
	}
	names := make([]string, len(fields))
	for i, field := range fields {
		names[i] = string(field)
	}
	return names, nil
}
