package deliver

import (
	"context"
	"errors"
	"time"

	"github.com/streamgauge/streamgauge/producer/internal/escape"
	"github.com/streamgauge/streamgauge/producer/internal/load"
	"github.com/streamgauge/streamgauge/producer/internal/publish"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// listPatience is how long consumers are asked which batches are missing of a load
// that is known to be there. It is enough for one to hang and another to be slow.
const listPatience = 10 * time.Second

// lookUp returns the answer to a question, with what is missing where that is asked
// for and matters. Whether anybody answers is found out with a question that takes
// no time, since finding what is missing may take seconds.
func (d *delivery) lookUp(ctx context.Context, patience time.Duration, question wire.LoadRequest) (*wire.LoadReply, error) {
	most := question.Missing
	question.Missing = 0
	reply, err := d.Service.Ask(ctx, patience, question)
	if err != nil {
		return nil, d.denied(err)
	}
	stored, err := d.ours.Judge(reply)
	if most == 0 || err != nil || stored == nil || stored.Complete() {
		return reply, nil //nolint:nilerr // the caller judges too
	}
	question.Missing = most
	full, err := d.Service.Ask(ctx, listPatience, question)
	if _, silence := errors.AsType[*load.NoAnswerError](err); silence {
		d.log.Warn(escape.Name(d.report.Name) + ": the consumer does not find out in time which batches are missing: sending all of them, and it ignores those it has")
		stored.Missing = []wire.Range{{First: 1, Last: stored.Batches}}
		return reply, nil
	}
	return full, d.denied(err)
}

// denied makes of the word that NATS denies questions what it means for the run: its
// end where it is to wait for the answers, and no answer elsewhere.
func (r *run) denied(err error) error {
	_, denied := errors.AsType[*publish.DeniedError](err)
	switch {
	case !denied:
		return err
	case r.cfg.Wait:
		return &brokerError{err}
	}
	return &load.NoAnswerError{Cause: err}
}
