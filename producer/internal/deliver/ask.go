package deliver

import (
	"context"
	"errors"
	"time"

	"github.com/streamgauge/streamgauge/producer/internal/escape"
	"github.com/streamgauge/streamgauge/producer/internal/load"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// listPatience is how long consumers are asked which batches are missing of a load
// that is known to be there. It is enough for one to hang and another to be slow.
const listPatience = 10 * time.Second

// ask returns what is loaded of the source, with what is missing where that matters.
// Whether anybody answers is found out with a question that takes no time, since
// finding what is missing may take seconds.
func (d *delivery) ask(ctx context.Context, patience time.Duration) (*wire.LoadReply, error) {
	question := d.ours.Question()
	most := question.Missing
	question.Missing = 0
	reply, err := d.Service.Ask(ctx, patience, question)
	if err != nil {
		return nil, err
	}
	stored, err := d.ours.Judge(reply)
	if err != nil || stored == nil || stored.Complete() {
		return reply, nil //nolint:nilerr // the caller judges too
	}
	question.Missing = most
	full, err := d.Service.Ask(ctx, listPatience, question)
	if _, silence := errors.AsType[*load.NoAnswerError](err); silence {
		d.log.Warn(escape.Name(d.report.Name) + ": the consumer does not find out in time which batches are missing: sending all of them, and it ignores those it has")
		stored.Missing = []wire.Range{{First: 1, Last: stored.Batches}}
		return reply, nil
	}
	return full, err
}
