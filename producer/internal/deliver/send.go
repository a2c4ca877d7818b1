package deliver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/streamgauge/streamgauge/producer/internal/batch"
	"github.com/streamgauge/streamgauge/producer/internal/commit"
	"github.com/streamgauge/streamgauge/producer/internal/escape"
	"github.com/streamgauge/streamgauge/producer/internal/publish"
	"github.com/streamgauge/streamgauge/producer/internal/report"
	"github.com/streamgauge/streamgauge/producer/internal/source"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// send publishes the batches in ranges, which are ascending, and returns when
// all have been acknowledged. Its errors, but those that end the run, lack the
// file's name.
func (d *delivery) send(ctx context.Context, ranges []wire.Range) error {
	d.Window.Begin(d.acked)
	stopFollowing := d.follow(ctx)
	defer stopFollowing()
	err := d.survey.Cut(ctx, d.Window.Buffer(), func(part batch.Part) ([]byte, error) {
		for len(ranges) > 0 && ranges[0].Last < part.Number {
			ranges = ranges[1:]
		}
		if len(ranges) == 0 || part.Number < ranges[0].First {
			return part.Body, nil
		}
		if err := d.publish(ctx, part); err != nil {
			return nil, err
		}
		return d.Window.Buffer(), nil
	})
	if err == nil {
		if err = d.Window.Flush(ctx); err != nil {
			err = ofBroker(err)
		}
	}
	if err != nil {
		return d.sendFailed(ctx, err, false)
	}
	if err = d.survey.Unchanged(); err != nil {
		return d.sendFailed(ctx, err, true)
	}
	return nil
}

func (d *delivery) publish(ctx context.Context, part batch.Part) error {
	b := wire.Batch{
		Source: d.ours.Source, Name: d.ours.Name, Size: d.survey.Size, SameName: d.ours.SameName,
		Number: part.Number, Batches: d.ours.Batches,
		FirstLine: part.FirstLine, Records: part.Records,
		Plan: d.ours.Plan, Long: part.Long, Body: part.Body,
	}
	header, err := b.Encode()
	if err != nil {
		return fmt.Errorf("batch %d: %w", part.Number, err)
	}
	if err := d.Window.Rest(ctx, d.throttle.turn(time.Now(), part.Records)); err != nil {
		return ofBroker(err)
	}
	if !d.waiting {
		d.remember()
		d.underWay = append(d.underWay, part.Records)
		d.progress.Sent(part.Records)
	}
	if err := d.Window.Send(ctx, part.Number, header, part.Body); err != nil {
		return ofBroker(err)
	}
	return nil
}

// acked is publish.Acked. Acks come in the order of the batches.
func (d *delivery) acked(number int64, sequence uint64) error {
	if len(d.underWay) > 0 {
		d.progress.Acked(d.underWay[0])
		if !d.again {
			d.tally.sent += int64(d.underWay[0])
		}
		d.underWay = d.underWay[1:]
		d.reached++
	}
	return d.sequences.Set(number, sequence)
}

// follow keeps what is shown as committed up to date while batches are sent,
// until stop is called.
func (d *delivery) follow(ctx context.Context) (stop func()) {
	if !d.cfg.Wait || d.cfg.Progress == nil || d.waiting {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		again := time.NewTicker(followEvery)
		defer again.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-again.C:
			}
			reply, err := d.Service.Ask(ctx, followEvery, wire.LoadRequest{Source: d.ours.Source})
			if err == nil && reply.Load != nil {
				d.progress.Committed(reply.Load.Rows + reply.Load.Rejected)
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

// sendFailed leaves the window empty, unless NATS failed and the run ends. A
// change of the file is that it has grown, or another.
func (d *delivery) sendFailed(ctx context.Context, err error, grown bool) error {
	var broken *brokerError
	if ctx.Err() == nil && errors.As(err, &broken) {
		return err
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	d.Window.Abandon(bounded)
	if ctx.Err() != nil {
		return d.stopped(ctx, d.report, err, fmt.Sprintf("stopped after batch %d of %d", d.Window.Through(), d.ours.Batches))
	}
	return d.changed(err, grown)
}

// changed is err, unless a file has changed of which batches are on their way: then
// it says so.
func (d *delivery) changed(err error, grown bool) error {
	if !errors.Is(err, source.ErrChanged) || d.reached == 0 {
		return err
	}
	return &ChangedError{Source: d.ours.Source, Reached: d.reached, Batches: d.of, Grown: grown}
}

// wait returns the load when all of it is committed.
func (d *delivery) wait(ctx context.Context) (*wire.Load, error) {
	d.waiting = true
	defer func() { d.waiting = false }()
	w := &commit.Waiter{
		Ours: &d.ours, Service: d.Service, Stream: d.Stream,
		Sequences: d.sequences, Resend: d.send, Committed: d.progress.Committed, Quiet: d.cfg.Progress.Bars(), Log: d.log.With("file", escape.Name(d.report.Name)),
	}
	stored, err := w.Wait(ctx)
	if err == nil {
		return stored, nil
	}
	var dead *commit.DeadError
	var denied *publish.DeniedError
	switch {
	case endsRun(err):
		return nil, err
	case errors.As(err, &denied):
		return nil, &brokerError{fmt.Errorf("%w. All of %s is queued, and is stored all the same", err, escape.Name(d.report.Name))}
	case errors.As(err, &dead):
		d.report.State = report.Dead
		if dead.Load == nil {
			dead.Load = new(wire.Load)
		}
		d.reportStored(ctx, dead.Load)
		return nil, named(d.report, err)
	}
	return nil, d.fail(ctx, d.explain(err), fmt.Sprintf("stopped waiting with all of it queued and %d of %d batches committed", w.Done(), d.ours.Batches))
}
