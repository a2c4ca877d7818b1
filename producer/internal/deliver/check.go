package deliver

import (
	"context"
	"errors"
	"io"

	"github.com/streamgauge/streamgauge/producer/internal/batch"
	"github.com/streamgauge/streamgauge/producer/internal/inputs"
	"github.com/streamgauge/streamgauge/producer/internal/progress"
	"github.com/streamgauge/streamgauge/producer/internal/report"
	"github.com/streamgauge/streamgauge/producer/internal/survey"
	"github.com/streamgauge/streamgauge/shared/record"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// check reads one source and every record in it, as a consumer would, and sends
// nothing.
func (r *run) check(ctx context.Context, from inputs.Source, f *report.File) error {
	shown := r.cfg.Progress.Begin(f.Name)
	defer shown.End()
	c := checker{report: f, progress: shown}
	s, err := survey.Read(ctx, from, r.cfg.Columns, r.cfg.BatchSize, c.visit)
	if err != nil {
		return r.stopped(ctx, f, named(f, err), "stopped")
	}
	f.State = report.Checked
	f.Source = wire.SourceID(s.Digest, r.cfg.Label)
	f.Records, f.Batches = s.Records, s.Batches
	f.Rows, f.Rejected = &c.rows, &c.rejected
	f.Hints = hints(s.Plan.Format, f.Rejects)
	return nil
}

type checker struct {
	report         *report.File
	progress       *progress.Source
	format         record.Format
	parser         *record.Parser
	cutter         *record.Cutter
	rows, rejected int64
}

func (c *checker) visit(format record.Format, part batch.Part) error {
	c.progress.Read(part.Records)
	if c.parser == nil {
		parser, err := record.NewParser(format)
		if err != nil {
			return err
		}
		c.format, c.parser, c.cutter = format, parser, new(record.Cutter)
	}
	if part.Long != nil {
		c.record(record.Record{Bytes: part.Body, Line: part.FirstLine, Fault: record.TooLong, Length: part.Long.Length})
		return nil
	}
	c.cutter.Reset(part.Body, format.Comma(), part.FirstLine)
	for {
		rec, err := c.cutter.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		c.record(rec)
	}
}

func (c *checker) record(rec record.Record) {
	_, reject := c.parser.Parse(rec)
	if reject == nil {
		c.rows++
		return
	}
	c.rejected++
	if len(c.report.Rejects) < rejectsShown {
		raw := rec.Raw()
		shown := report.Reject{
			Line: reject.Line, Column: reject.Column, Reason: string(reject.Reason), Raw: string(raw[:min(len(raw), wire.MaxRaw)]),
		}
		detail(c.format, &shown)
		c.report.Rejects = append(c.report.Rejects, shown)
	}
}
