package deliver

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/streamgauge/streamgauge/producer/internal/commit"
	"github.com/streamgauge/streamgauge/producer/internal/fetch"
	"github.com/streamgauge/streamgauge/producer/internal/inputs"
	"github.com/streamgauge/streamgauge/producer/internal/load"
	"github.com/streamgauge/streamgauge/producer/internal/progress"
	"github.com/streamgauge/streamgauge/producer/internal/publish"
	"github.com/streamgauge/streamgauge/producer/internal/report"
	"github.com/streamgauge/streamgauge/shared/commandline"
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
	if cfg.DryRun {
		r := newRun(cfg, Link{}, log)
		return r.all(ctx, list, r.check)
	}
	b, err := connect(ctx, cfg, log)
	if err != nil {
		if ctx.Err() != nil {
			return &StoppedError{At: "stopped before anything was sent"}
		}
		return err
	}
	defer b.conn.Close()
	return loadAll(ctx, cfg, list, b.link(log), log)
}

// Link is NATS as a run uses it.
type Link struct {
	// Window is where batches are published, Stream where they are looked for.
	Window *publish.Window
	Stream commit.Stream
	// Service is asked what is loaded.
	Service *load.Service
}

// Over is Run over a link that stands already.
func Over(ctx context.Context, cfg Config, link Link, log *slog.Logger) error {
	cfg = cfg.withDefaults()
	list, err := inputs.List(cfg.Inputs, cfg.Exclude)
	if err != nil {
		return err
	}
	return loadAll(ctx, cfg, list, link, log)
}

func loadAll(ctx context.Context, cfg Config, list []inputs.Input, link Link, log *slog.Logger) error {
	r := newRun(cfg, link, log)
	r.begin(ctx)
	return r.all(ctx, list, r.load)
}

// run is what the files of one run have in common.
type run struct {
	Link

	cfg     Config
	log     *slog.Logger
	printer *report.Printer
	outside inputs.Outside
	copying *progress.Source // what outside tells
	// unanswered is set once a question has had no answer, at unansweredAt because
	// of silence, and toldUnanswered once that has been told.
	unanswered, toldUnanswered bool
	unansweredAt               time.Time
	silence                    *load.NoAnswerError
	names                      names
	watching                   bool // a folder
	tally                      tally
	throttle                   throttle
}

func newRun(cfg Config, link Link, log *slog.Logger) *run {
	r := &run{
		Link: link, cfg: cfg, log: log, printer: &report.Printer{Out: cfg.Out, JSON: cfg.JSON},
		throttle: throttle{perSecond: cfg.Rate},
	}
	copied := func(have, size int64) { r.copying.Copied(have, size) }
	r.outside = inputs.Outside{Stdin: cfg.Stdin, Fetch: fetch.New(log, copied).Fetch, Copied: copied}
	return r
}

// do is what is done with one source; the report is filled in as far as it goes,
// also when there is an error.
type do func(context.Context, inputs.Source, *report.File) error

// all does one thing with each source of each input.
func (r *run) all(ctx context.Context, list []inputs.Input, do do) error {
	t := &r.tally
	t.single = len(list) == 1
	err := r.inputs(ctx, list, do)
	if !r.cfg.DryRun && (err == nil || t.sent > 0) {
		r.summarize(ctx)
	}
	if err != nil {
		return err
	}
	if t.files == 0 {
		return inputs.ErrExcluded
	}
	r.tellNext()
	switch {
	case t.failed > 0:
		return &FilesError{Failed: t.failed, Files: t.files}
	case t.rejected || t.dead:
		return ErrIncomplete
	}
	return nil
}

func (r *run) inputs(ctx context.Context, list []inputs.Input, do do) error {
	for _, in := range list {
		if err := r.input(ctx, in, do); err != nil {
			return err
		}
	}
	return nil
}

// input does it with each source of one input. An error ends the run.
func (r *run) input(ctx context.Context, in inputs.Input, do do) error {
	file, sources, err := r.open(ctx, in)
	if err != nil {
		f := &report.File{Name: in.Name(), State: report.Failed}
		return r.account(f, r.stopped(ctx, f, err, "stopped before anything was sent"))
	}
	defer file.Close() // it was only read
	t := &r.tally
	t.single = t.single && len(sources) == 1
	for _, source := range sources {
		f := &report.File{Name: source.Name, State: report.Failed}
		err := source.CheckName()
		if err == nil {
			err = do(ctx, source, f)
		}
		if err := r.account(f, err); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) open(ctx context.Context, in inputs.Input) (*inputs.File, []inputs.Source, error) {
	r.copying = r.showCopy(in)
	defer r.copying.End()
	file, err := in.Open(ctx, r.outside)
	if err != nil {
		return nil, nil, err
	}
	sources, err := file.Sources(r.cfg.Exclude)
	if err != nil {
		_ = file.Close() // it was only read
		return nil, nil, err
	}
	return file, sources, nil
}

// showCopy shows how far an input is on its way to this machine's disk, if it
// has to be copied there.
func (r *run) showCopy(in inputs.Input) *progress.Source {
	if in.Path == inputs.Stdin && commandline.Columns(r.cfg.Stdin) > 0 {
		// A bar would get in between what is typed.
		r.log.Info("reading standard input from this terminal: paste the CSV, then Ctrl-D on a line of its own")
		return (*progress.Display)(nil).BeginCopy(in.Name())
	}
	return r.cfg.Progress.BeginCopy(in.Name())
}

// account prints what became of a source. The error it returns ends the run.
func (r *run) account(f *report.File, err error) error {
	t := &r.tally
	t.add(f)
	if err != nil {
		f.Error = err.Error()
	}
	if err := r.printer.File(f); err != nil {
		return err
	}
	for _, line := range f.RejectLines() {
		r.log.Warn(line)
	}
	t.rejected = t.rejected || r.hasRejects(f)
	switch {
	case err == nil:
	case endsRun(err), t.single && f.State != report.Dead:
		return err
	case f.State == report.Dead:
		r.log.Error(err.Error())
	default:
		t.failed++
		r.log.Error(err.Error())
	}
	return nil
}

// hasRejects says whether records of f were rejected. Without --wait that is not
// what the run was asked to find out, though it may know.
func (r *run) hasRejects(f *report.File) bool {
	return f.Rejected != nil && *f.Rejected > 0 && (r.cfg.Wait || r.cfg.DryRun)
}

// tellNext says what there is to do now.
func (r *run) tellNext() {
	t := &r.tally
	switch {
	case r.cfg.DryRun:
	case t.rejected:
		r.log.Info("'consumer rejects ls' lists each of them, 'consumer rejects export' writes them to be corrected")
	case t.queued && r.unanswered && errors.Is(r.silence, nats.ErrNoResponders):
		r.log.Info("queued is not stored yet: start 'consumer', and it will store it, or say in its log why not")
	case t.queued && r.unanswered:
		r.log.Info("queued is not stored yet: " + r.silence.Error())
	case t.queued:
		r.log.Info("queued is not stored yet: 'consumer loads' shows how far the consumer is; --wait would wait for it")
	case t.committed:
		r.log.Info("'consumer stats' shows the statistics beside the database's own")
	}
}
