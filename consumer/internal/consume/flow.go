package consume

import (
	"context"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/streamgauge/streamgauge/consumer/internal/intake"
	"github.com/streamgauge/streamgauge/consumer/internal/pipeline"
)

// finishWithin is what the transactions in hand get after a stop, within the
// five seconds a supervisor is promised.
const finishWithin = 3 * time.Second

// Flow is the way of messages through one consumer, and the order in which its
// parts end.
type Flow struct {
	Intake   *intake.Intake
	Database pipeline.Database
	Pipeline pipeline.Config
	// Announcers tell of what was committed until their context is over, and
	// then of what is left.
	Announcers []func(context.Context) error
	// Beside run while messages are taken in.
	Beside []func(context.Context) error
	Logger *slog.Logger
}

// Start has messages move until stop is over or a part fails, which ends
// taking. Then the intake ends; the writers end when there is nothing left to
// take, finishWithin later at the latest; the announcers end after them. The end
// of ctx, which has to come, breaks off whatever is left.
func (f *Flow) Start(ctx, stop context.Context) (group *errgroup.Group, taking context.Context) {
	stopping, stopTaking := context.WithCancel(stop)
	context.AfterFunc(ctx, stopTaking)
	working, stopWorking := context.WithCancel(ctx)
	announcing, stopAnnouncing := context.WithCancel(ctx)

	group, taking = errgroup.WithContext(stopping)
	group.Go(func() error { return f.Intake.Run(taking) })
	group.Go(func() error {
		defer stopAnnouncing()
		return pipeline.Run(working, source{f.Intake}, f.Database, f.Pipeline, f.Logger)
	})
	for _, run := range f.Announcers {
		group.Go(func() error { return run(announcing) })
	}
	for _, run := range f.Beside {
		group.Go(func() error { return run(taking) })
	}
	context.AfterFunc(taking, func() {
		timer := time.AfterFunc(finishWithin, stopWorking)
		context.AfterFunc(ctx, func() { timer.Stop() })
	})
	return group, taking
}
