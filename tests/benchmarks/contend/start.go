package contend

import (
	"context"
	"errors"
	"time"

	"github.com/streamgauge/streamgauge/tests/benchmarks/proc"
	"github.com/streamgauge/streamgauge/tests/benchmarks/result"
)

// Start measures the time from the start of a consumer's process to its ready
// line, with the schema current and the streams standing, so many times.
func (a *Arena) Start(ctx context.Context, times int) (found result.Start, err error) {
	l, err := a.lane(ctx, false)
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	var taken []time.Duration
	// The first one creates the streams, and does not count.
	for i := range times + 1 {
		began := time.Now()
		c, err := proc.Start("consumer", a.Stage.Consumer, l.env, a.ConsumerArgs...)
		if err != nil {
			return found, err
		}
		err = awaitReady(ctx, c)
		if i > 0 {
			taken = append(taken, time.Since(began))
		}
		if err := errors.Join(err, c.Stop()); err != nil {
			return found, err
		}
	}
	found.ToReady = result.TimesOf(taken)
	return found, nil
}
