package commit

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/producer/internal/load"
	"github.com/streamgauge/streamgauge/shared/wire"
)

func TestWaitsUntilAllIsCommitted(t *testing.T) {
	in(t, 100, func(w *world) {
		w.before = func() { w.consume(3, nil) }
		w.stored.Rejected = 4
		w.wantComplete()
		w.wantSent(nil)
		if w.bounds > 0 {
			w.t.Errorf("looked at the stream %d times, though there was progress all the time", w.bounds)
		}
	})
}

func TestSlowConsumerIsLeftAlone(t *testing.T) {
	in(t, 500, func(w *world) {
		w.before = func() {
			if time.Since(w.start) > time.Hour {
				w.consume(1000, nil)
			}
		}
		w.wantComplete()
		w.wantSent(nil)
		if perLook := float64(w.looks) / 2400; perLook > maxPresent+1 {
			w.t.Errorf("%.0f messages were looked at each time", perLook)
		}
		if lines := strings.Count(w.talk.String(), "waiting for the consumer: 0 of 500 batches committed"); lines < 600 || lines > 721 {
			w.t.Errorf("%d lines in an hour, want one every 5 s", lines)
		}
	})
}

func TestSilenceIsWaitedOut(t *testing.T) {
	in(t, 10, func(w *world) {
		w.silentFor = time.Hour
		w.before = func() { w.consume(10, nil) }
		w.wantComplete()
		w.wantSent(nil)
		if took := time.Since(w.start); took > time.Hour+5*time.Second {
			w.t.Errorf("noticed after %v", took-time.Hour)
		}
		if lines := strings.Count(w.talk.String(), "0 of 10 batches committed"); lines < 550 || lines > 721 {
			w.t.Errorf("%d lines in an hour, want one every 5 s", lines)
		}
		if !strings.Contains(w.talk.String(), "no consumer answers") {
			w.t.Errorf("it is not told that nobody answers")
		}
	})
}

// A consumer may answer what is cheap, and not what is missing: that is no news,
// and what was lost is sent again as soon as it does.
func TestUnansweredLooksAreNoNews(t *testing.T) {
	in(t, 10, func(w *world) {
		w.consume(4, nil)
		w.lose()
		w.unlistedFor = time.Minute
		w.before = func() {
			if w.sent[5] > 1 {
				w.consume(10, nil)
			}
		}
		w.wantComplete()
		w.wantSent(map[int64]int{5: 2, 6: 2, 7: 2, 8: 2, 9: 2, 10: 2})
		if late := time.Since(w.start) - w.unlistedFor; late > 10*time.Second {
			w.t.Errorf("complete %v after the first answer", late)
		}
		if w.lists > 15 {
			w.t.Errorf("asked %d times what is missing, with no rest between two questions", w.lists)
		}
		if told := w.talk.String(); strings.Contains(told, "no consumer answers") || !strings.Contains(told, "4 of 10 batches committed") || !strings.Contains(told, "which batches are missing") {
			w.t.Errorf("told:\n%s", told)
		}
	})
}

// What ends the wait although not all is committed.
func TestRefusals(t *testing.T) {
	other := wire.Load{Source: wire.SourceID(sha256.Sum256([]byte("x")), ""), Name: "a.csv"}
	for name, c := range map[string]struct {
		happens func(w *world)
		target  any
	}{
		"other batch size":  {func(w *world) { w.stored.Plan.BatchSize = 5 }, new(*load.OtherBatchSizeError)},
		"other format":      {func(w *world) { w.stored.Plan.DecimalComma = true }, new(*load.FormatError)},
		"other batches":     {func(w *world) { w.stored.Batches = 11 }, new(*load.CountError)},
		"records that lack": {func(w *world) { w.Ours.Records++; w.consume(10, nil) }, new(*load.CountError)},
		"name taken":        {func(w *world) { w.Service = takenName{other} }, new(*load.NameTakenError)},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, 10, func(w *world) {
				w.consume(1, nil)
				c.happens(w)
				if _, err := w.wait(); !errors.As(err, c.target) {
					w.t.Errorf("error %v, want %T", err, c.target)
				}
				w.wantSent(nil)
			})
		})
	}
}

type takenName struct{ by wire.Load }

func (n takenName) Ask(context.Context, time.Duration, wire.LoadRequest) (*wire.LoadReply, error) {
	return &wire.LoadReply{Named: []wire.Load{n.by}}, nil
}

func TestInterrupt(t *testing.T) {
	in(t, 10, func(w *world) {
		ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
		defer cancel()
		w.consume(4, nil)
		if _, err := w.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) || w.Done() != 4 {
			w.t.Errorf("error %v with %d done", err, w.Done())
		}
	})
}

func TestErrorOfResendEndsTheWait(t *testing.T) {
	in(t, 10, func(w *world) {
		w.lose()
		broken := errors.New("file changed")
		w.Resend = func(context.Context, []wire.Range) error { return broken }
		if _, err := w.wait(); !errors.Is(err, broken) {
			w.t.Errorf("error %v", err)
		}
	})
}
