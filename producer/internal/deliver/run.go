package deliver

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/streamgauge/streamgauge/producer/internal/inputs"
	"github.com/streamgauge/streamgauge/producer/internal/load"
	"github.com/streamgauge/streamgauge/producer/internal/publish"
	"github.com/streamgauge/streamgauge/producer/internal/report"
)

// Run loads every input of cfg, which must be valid. A file that fails does not
// keep the others from being loaded; NATS failing does. Nil means that all is
// done. ErrIncomplete and *StoppedError are to be told from other failures with
// errors.Is and errors.As; of several files the gravest counts.
func Run(ctx context.Context, cfg Config, log *slog.Logger) error {
	cfg = cfg.withDefaults()
	list, err := inputs.List(cfg.Inputs, cfg.Exclude)
	if err != nil {
		return err
	}
	r := &run{cfg: cfg, log: log, printer: &report.Printer{Out: cfg.Out, JSON: cfg.JSON}}
	if cfg.DryRun {
		return r.all(ctx, list, r.check)
	}
	if r.broker, err = connect(ctx, cfg, log); err != nil {
		if ctx.Err() != nil {
			return &StoppedError{At: "stopped before anything was sent"}
		}
		return err
	}
	defer r.broker.conn.Close()
	r.service = load.NewService(r.broker.conn)
	r.window = publish.NewWindow(r.broker.js, r.broker.restore, r.broker.rows, r.broker.denied, log)
	return r.all(ctx, list, r.load)
}

// run is what the files of one run have in common.
type run struct {
	cfg     Config
	log     *slog.Logger
	printer *report.Printer
	broker  *broker
	service *load.Service
	window  *publish.Window
	// unanswered is set once a question has had no answer, at unansweredAt, and
	// toldUnanswered once that has been told.
	unanswered, toldUnanswered bool
	unansweredAt               time.Time
}

// all does one thing with each input. The report of an input is filled in as
// far as it goes, also when there is an error.
func (r *run) all(ctx context.Context, list []inputs.Input, do func(context.Context, inputs.Input, *report.File) error) error {
	var failed int
	var rejected, dead, queued, committed bool
	for _, in := range list {
		f := &report.File{Name: in.Name(), State: report.Failed}
		err := do(ctx, in, f)
		if err != nil {
			f.Error = err.Error()
		}
		if err := r.printer.File(f); err != nil {
			return err
		}
		for _, line := range f.RejectLines() {
			r.log.Warn(line)
		}
		queued = queued || f.State == report.Queued
		committed = committed || f.State == report.Committed
		dead = dead || f.State == report.Dead
		rejected = rejected || r.hasRejects(f)
		var stopped *StoppedError
		var broken *brokerError
		switch {
		case err == nil:
		case errors.As(err, &stopped), errors.As(err, &broken), len(list) == 1 && f.State != report.Dead:
			return err
		case f.State == report.Dead:
			r.log.Error(err.Error())
		default:
			failed++
			r.log.Error(err.Error())
		}
	}
	r.tellNext(queued, committed, rejected)
	switch {
	case failed > 0:
		return &FilesError{Failed: failed, Files: len(list)}
	case rejected || dead:
		return ErrIncomplete
	}
	return nil
}

// hasRejects says whether records of f were rejected. Without --wait that is not
// what the run was asked to find out, though it may know.
func (r *run) hasRejects(f *report.File) bool {
	return f.Rejected != nil && *f.Rejected > 0 && (r.cfg.Wait || r.cfg.DryRun)
}

// tellNext says what there is to do now.
func (r *run) tellNext(queued, committed, rejected bool) {
	switch {
	case r.cfg.DryRun:
	case rejected:
		r.log.Info("'consumer rejects ls' lists each of them, 'consumer rejects export' writes them to be corrected")
	case queued && r.unanswered:
		r.log.Info("queued is not stored yet: start 'consumer', and it will store it")
	case queued:
		r.log.Info("queued is not stored yet: 'consumer loads' shows how far the consumer is; --wait would wait for it")
	case committed:
		r.log.Info("'consumer stats' shows the statistics beside the database's own")
	}
}
