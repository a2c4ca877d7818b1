package deliver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/streamgauge/streamgauge/producer/internal/batch"
	"github.com/streamgauge/streamgauge/producer/internal/commit"
	"github.com/streamgauge/streamgauge/producer/internal/escape"
	"github.com/streamgauge/streamgauge/producer/internal/inputs"
	"github.com/streamgauge/streamgauge/producer/internal/load"
	"github.com/streamgauge/streamgauge/producer/internal/progress"
	"github.com/streamgauge/streamgauge/producer/internal/report"
	"github.com/streamgauge/streamgauge/producer/internal/survey"
	"github.com/streamgauge/streamgauge/shared/record"
	"github.com/streamgauge/streamgauge/shared/unpack"
	"github.com/streamgauge/streamgauge/shared/wire"
)

const (
	// firstPatience is how long an answer is waited for before anything is sent
	// unchecked; nextPatience is that for the files after one without an answer,
	// and askAgainAfter how long none is asked for then.
	firstPatience = 2 * time.Second
	nextPatience  = 200 * time.Millisecond
	askAgainAfter = 2 * time.Second
	// grace is how long an interrupted run waits for the acks on their way.
	grace = 4 * time.Second
	// followEvery is how often it is asked, for the progress, what is committed
	// while batches are still being sent.
	followEvery = 500 * time.Millisecond
	// rejectsShown is how many rejects of a file are listed.
	rejectsShown = 5
)

// load reads, compares, sends and waits for one source.
func (r *run) load(ctx context.Context, from inputs.Source, f *report.File) error {
	shown := r.cfg.Progress.Begin(f.Name)
	defer shown.End()
	s, err := survey.Read(ctx, from, r.cfg.Columns, r.cfg.BatchSize, func(_ record.Format, part batch.Part) error {
		shown.Read(part.Records)
		return nil
	})
	if err != nil {
		return r.stopped(ctx, f, named(f, err), "stopped before anything was sent")
	}
	shown.Ask()
	d := &delivery{run: r, report: f, survey: s, progress: shown, ours: load.Ours{
		Source:   wire.SourceID(s.Digest, r.cfg.Label),
		Name:     f.Name,
		SameName: r.cfg.AllowChanged || r.cfg.Label != "" || from.Nameless,
	}}
	d.recount()
	f.Source = d.ours.Source
	if s.Records == 0 {
		f.State = report.Empty
		return nil
	}
	if r.cfg.Wait {
		if d.sequences, err = commit.NewSequences(); err != nil {
			return named(f, err)
		}
		defer d.sequences.Close()
	}
	return d.deliver(ctx)
}

// stopped is err, unless the run was interrupted: then it says where.
func (r *run) stopped(ctx context.Context, f *report.File, err error, at string) error {
	if ctx.Err() == nil {
		return err
	}
	f.State = report.Interrupted
	return &StoppedError{At: escape.Name(f.Name) + ": " + at}
}

// named gives an error of a file its name.
func named(f *report.File, err error) error {
	if endsRun(err) {
		return err
	}
	return fmt.Errorf("%s: %w", escape.Name(f.Name), unpack.Explain(err))
}

// delivery is one source on its way into the database.
type delivery struct {
	*run
	report    *report.File
	survey    *survey.Survey
	ours      load.Ours
	sequences *commit.Sequences // nil without --wait, which alone reads them
	progress  *progress.Source
	// waiting says that what is sent now was sent before.
	waiting bool
	// underWay are the records of each batch that was sent and is not acked.
	underWay []int
	// known says that the database has some of it, and again that this run has
	// sent all of it before, cut otherwise.
	known, again bool
	// reached is how many of so many batches have been queued or stored.
	reached, of int64
}

// recount takes over what the survey counted.
func (d *delivery) recount() {
	d.ours.Plan, d.ours.Records, d.ours.Batches = d.survey.Plan, d.survey.Records, d.survey.Batches
	d.report.Records, d.report.Batches = d.survey.Records, d.survey.Batches
}

// deliver sends what is missing and waits for it, from the start again whenever
// the source turns out to be cut otherwise in the database.
func (d *delivery) deliver(ctx context.Context) error {
	for first := true; ; first = false {
		stored, answered, err := d.compare(ctx)
		if err != nil {
			at := "stopped before it was sent again"
			if first {
				at = "stopped before anything was sent"
				d.judged(err)
			}
			return d.fail(ctx, err, at)
		}
		if first && answered {
			d.reportStart(stored)
		}
		if stored != nil && stored.Complete() {
			return d.committed(ctx, stored)
		}
		d.begin(stored)
		if err := d.send(ctx, load.Missing(stored, d.ours.Batches)); err != nil {
			return named(d.report, err)
		}
		d.again = true
		d.tellUnanswered()
		stored, err = d.outcome(ctx)
		if err == nil && d.cfg.Wait {
			return d.committed(ctx, stored)
		}
		if err == nil {
			d.report.State = report.Queued
			return nil
		}
		other, otherSize := errors.AsType[*load.OtherBatchSizeError](err)
		if !otherSize {
			return err
		}
		// That was an answer: what is sent next is cut by it, whether there is
		// another one or not.
		d.unanswered = false
		if err := d.adopt(ctx, other); err != nil {
			return d.fail(ctx, err, "stopped while reading it again")
		}
	}
}

// begin shows where sending begins.
func (d *delivery) begin(stored *wire.Load) {
	var loaded int64
	if stored != nil {
		loaded = stored.Rows + stored.Rejected
	}
	d.underWay = nil
	d.known, d.reached, d.of = stored != nil, 0, d.ours.Batches
	if d.known {
		d.reached = stored.Done
	}
	d.progress.Send(d.ours.Records, loaded, d.cfg.Wait)
}

// outcome is what has become of all that was sent: the load when it is committed,
// or without --wait nil when nothing is known to keep it from that.
func (d *delivery) outcome(ctx context.Context) (*wire.Load, error) {
	if d.cfg.Wait {
		return d.wait(ctx)
	}
	if err := d.judgeAgain(ctx); err != nil {
		return nil, d.fail(ctx, d.explain(err), "stopped with all of it queued")
	}
	return nil, nil //nolint:nilnil // nothing is known of it
}

// silent says that there was no answer a moment ago, so that asking is in vain.
func (d *delivery) silent() bool { return d.unanswered && time.Since(d.unansweredAt) < askAgainAfter }

// ask puts a question. Silence is no error.
func (d *delivery) ask(ctx context.Context, question wire.LoadRequest) (reply *wire.LoadReply, answered bool, err error) {
	patience := firstPatience
	// What a watch refuses it does not try again, so that it had better be right.
	if lasting := d.watching && len(d.sentBefore()) > 0; d.unanswered && !lasting {
		patience = nextPatience
	}
	reply, err = d.lookUp(ctx, patience, question)
	if silence, is := errors.AsType[*load.NoAnswerError](err); is {
		d.unanswered, d.unansweredAt, d.silence = true, time.Now(), silence
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	d.unanswered, d.toldUnanswered = false, false
	return reply, true, nil
}

// compare asks what is loaded already, and cuts the source as it is cut there.
// Without an answer everything counts as missing.
func (d *delivery) compare(ctx context.Context) (stored *wire.Load, answered bool, err error) {
	if d.silent() && len(d.sentBefore()) == 0 {
		return nil, false, nil
	}
	for {
		reply, answered, err := d.ask(ctx, d.ours.Question())
		if err != nil {
			return nil, false, err
		}
		if !answered {
			return nil, false, d.explain(nameTaken(nil, d.sentBefore()))
		}
		stored, err := d.ours.Judge(reply)
		if err == nil && stored == nil {
			err = d.judgeSent(ctx)
		}
		other, otherSize := errors.AsType[*load.OtherBatchSizeError](err)
		if !otherSize {
			return stored, true, d.explain(err)
		}
		if err := d.adopt(ctx, other); err != nil {
			return nil, false, err
		}
	}
}

// adopt cuts the source as it is cut in the database.
func (d *delivery) adopt(ctx context.Context, other *load.OtherBatchSizeError) error {
	d.log.Info(fmt.Sprintf("%s: %s: reading it so too", escape.Name(d.report.Name), other))
	if err := d.survey.Adopt(ctx, other.BatchSize); err != nil {
		d.reached, d.of = other.Done, other.Batches
		return d.changed(err, false)
	}
	d.recount()
	return nil
}

// explain finds out whether a source whose name is taken has merely grown.
func (d *delivery) explain(err error) error {
	var taken *load.NameTakenError
	if !errors.As(err, &taken) {
		return err
	}
	sizes := taken.Smaller(d.survey.Size)
	digests, readErr := d.survey.Beginnings(sizes)
	if readErr != nil {
		return readErr
	}
	taken.Compare(d.survey.Size, digests)
	return taken
}

// judged takes down that nothing is sent because of what is loaded already, where
// err says so.
func (d *delivery) judged(err error) {
	var format *load.FormatError
	var taken *load.NameTakenError
	var retired *load.RetiredError
	if errors.As(err, &format) || errors.As(err, &taken) || errors.As(err, &retired) {
		d.report.State = report.Refused
	}
}

// fail gives a failure other than of NATS the file's name, unless the run was
// interrupted: then it says where.
func (d *delivery) fail(ctx context.Context, err error, at string) error {
	return d.stopped(ctx, d.report, named(d.report, err), at)
}

// reportStart keeps how much was loaded before this run sent anything.
func (d *delivery) reportStart(stored *wire.Load) {
	var loaded int64
	if stored != nil {
		loaded = stored.Rows + stored.Rejected
	}
	fresh := d.ours.Records - loaded
	d.report.New, d.report.Loaded = &fresh, &loaded
}

func (d *delivery) tellUnanswered() {
	if d.unanswered && !d.toldUnanswered {
		d.toldUnanswered = true
		d.log.Warn(d.silence.What() + ": sent all, plan and name unchecked; what is already loaded will be ignored")
	}
}

// committed completes the report of a source that is in the database.
func (d *delivery) committed(ctx context.Context, stored *wire.Load) error {
	d.report.State = report.Committed
	d.reportStored(ctx, stored)
	return nil
}

func (d *delivery) reportStored(ctx context.Context, stored *wire.Load) {
	d.report.Rows, d.report.Rejected = &stored.Rows, &stored.Rejected
	if stored.Rejected == 0 {
		return
	}
	// The rejects are stored whether they can be listed now or not.
	reply, err := d.Service.Ask(ctx, firstPatience, wire.LoadRequest{Source: d.ours.Source, Rejects: rejectsShown})
	if err != nil || reply.Load == nil {
		return
	}
	for _, one := range reply.Load.Rejects {
		reject := report.Reject{Line: one.Line, Column: one.Column, Reason: one.Reason, Raw: string(one.Raw)}
		detail(d.ours.Plan.Format, &reject)
		d.report.Rejects = append(d.report.Rejects, reject)
	}
	for _, hint := range hints(d.ours.Plan.Format, d.report.Rejects) {
		d.report.Hints = append(d.report.Hints, fmt.Sprintf("%s: this load can be taken back with 'consumer unload %.8s', and made anew with --label NAME", hint, d.ours.Source))
	}
}
