package publish

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/streamgauge/streamgauge/shared/topology"
)

// How trouble is waited out: from firstPause, doubling, to lastPause, each with
// half of it at random so that several producers don't come back as one.
// Trouble shorter than quietFor is not worth a line, since a stream may well be
// full for a moment; longer, there is one every sayEvery.
const (
	firstPause = 50 * time.Millisecond
	lastPause  = time.Second
	quietFor   = time.Second
	sayEvery   = 5 * time.Second
)

// trouble is the time during which one message can't be published.
type trouble struct {
	log    *slog.Logger
	next   time.Duration // the last pause, or the one it is in
	until  time.Time     // end of the pause it is in, zero outside of one
	since  time.Time
	saidAt time.Time
}

func newTrouble(log *slog.Logger) *trouble { return &trouble{log: log} }

func (t *trouble) met() bool { return t.next > 0 }

// say tells of the trouble when it is time to.
func (t *trouble) say(what string, cause error) {
	now := time.Now()
	if t.since.IsZero() {
		t.since = now
	}
	if now.Sub(t.since) < quietFor || now.Sub(t.saidAt) < sayEvery {
		return
	}
	t.saidAt = now
	if cause != nil {
		t.log.Warn(what, "cause", cause)
	} else {
		t.log.Warn(what)
	}
}

// pausing says whether a pause was cut off.
func (t *trouble) pausing() bool { return !t.until.IsZero() }

// pause lets time pass, longer each time. One that ctx cuts off goes on with the
// next call, for what is left of it, since whoever always cuts off sooner than a
// pause lasts would come to the end of none.
func (t *trouble) pause(ctx context.Context, denied *Denial, jitter Jitter) error {
	if !t.pausing() {
		t.next = min(max(2*t.next, firstPause), lastPause)
		t.until = time.Now().Add(t.next/2 + jitter(t.next/2))
	}
	timer := time.NewTimer(time.Until(t.until))
	defer timer.Stop()
	select {
	case <-timer.C:
		t.until = time.Time{}
		return nil
	case <-denied.Done():
		return denied.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

func isMismatch(err error) bool {
	var mismatch *topology.MismatchError
	return errors.As(err, &mismatch)
}
