// Package commit waits until a source that was sent is in the database, and has
// sent again what the broker loses in the meantime.
package commit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/streamgauge/streamgauge/producer/internal/load"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// How the consumers are asked: soon after an answer that brought something new,
// and slower while there is none. An answer costs them and PostgreSQL about a
// millisecond, so a long wait asks less often than a short one: the last answer
// comes late by a share of the wait.
const (
	firstInterval = 10 * time.Millisecond
	busyInterval  = 250 * time.Millisecond
	idleInterval  = time.Second
	lateShare     = 16
	patience      = 2 * time.Second
	// quietFor is how long nothing new may be committed before it is looked
	// whether the broker has lost anything; lookEvery is how often from then on.
	quietFor  = time.Second
	lookEvery = 1500 * time.Millisecond
	sayEvery  = 5 * time.Second
)

// Service answers questions about a load: *load.Service.
type Service interface {
	Ask(ctx context.Context, patience time.Duration, question wire.LoadRequest) (*wire.LoadReply, error)
}

// Stream is the stream the batches were published to.
type Stream interface {
	// Bounds are the sequences of the first and the last message; first is
	// above last when there is none, also when the stream does not exist.
	Bounds(ctx context.Context) (first, last uint64, err error)
	// At is what the message at a sequence within the last Bounds says it is,
	// zero when there is none.
	At(ctx context.Context, sequence uint64) (wire.Claim, error)
}

// Resend publishes the batches in ranges again, has their sequences set, and
// returns when all have been acknowledged.
type Resend func(ctx context.Context, ranges []wire.Range) error

// Waiter waits for one source. It is not safe for concurrent use.
type Waiter struct {
	Ours      *load.Ours
	Service   Service
	Stream    Stream
	Sequences *Sequences
	Resend    Resend
	// Committed, unless nil, is told how many records each answer has in the
	// database. Quiet says that this shows what is being waited for, so that a
	// line is needed only when there is no answer.
	Committed func(records int64)
	Quiet     bool
	Log       *slog.Logger

	done   int64 // batches committed, as last answered
	silent error // why there was no answer, when the last question had none
	unseen bool  // the last look was not answered, whatever the question after it
	began  time.Time
	newsAt time.Time
	saidAt time.Time
	lookAt time.Time
	cursor int64 // the last batch whose message was looked at
	deaths map[int64]int
	graves map[grave]int            // how often batches were set aside there, as last answered
	left   map[int64]wire.DeadBatch // died as often as they may
}

// Done is how many batches the last answer said are committed.
func (w *Waiter) Done() int64 { return w.done }

// Wait returns the load once it is complete, with counts that agree with the
// source's own. A *DeadError says that all is committed but some batches that
// the consumer keeps setting aside. Other errors are those of load.Ours.Judge,
// of Resend, and of ctx; time alone is none.
func (w *Waiter) Wait(ctx context.Context) (*wire.Load, error) {
	now := time.Now()
	w.began, w.newsAt, w.saidAt, w.lookAt = now, now, now, now
	w.deaths, w.graves, w.left = make(map[int64]int), make(map[grave]int), make(map[int64]wire.DeadBatch)
	interval := firstInterval
	for {
		stored, err := w.ask(ctx, 0)
		if err != nil && !w.unanswered(err) {
			return nil, err
		}
		news := false
		if err == nil {
			if stored != nil && stored.Complete() {
				return stored, nil
			}
			news = w.note(stored)
			if w.timeToLook() {
				if err := w.lookAround(ctx); err != nil {
					return nil, err
				}
			}
		}
		w.say()
		interval = w.nextInterval(interval, news)
		if err := sleep(ctx, interval); err != nil {
			return nil, err
		}
	}
}

// ask returns the load as it stands, nil when nothing is stored.
func (w *Waiter) ask(ctx context.Context, missing int) (*wire.Load, error) {
	reply, err := w.askAll(ctx, missing)
	if err != nil {
		return nil, err
	}
	return w.Ours.Judge(reply)
}

func (w *Waiter) askAll(ctx context.Context, missing int) (*wire.LoadReply, error) {
	question := w.Ours.Question()
	question.Missing = missing
	return w.Service.Ask(ctx, patience, question)
}

// unanswered says whether err is no more than silence, and keeps it to be told.
func (w *Waiter) unanswered(err error) bool {
	var silence *load.NoAnswerError
	if !errors.As(err, &silence) {
		return false
	}
	w.silent = silence
	return true
}

// note takes in an answer and says whether it brings something new.
func (w *Waiter) note(stored *wire.Load) bool {
	var done int64
	if stored != nil {
		done = stored.Done
		if w.Committed != nil {
			w.Committed(stored.Rows + stored.Rejected)
		}
	}
	news := done != w.done || w.silent != nil
	if news {
		w.newsAt = time.Now()
	}
	w.done, w.silent = done, nil
	return news
}

func (w *Waiter) timeToLook() bool {
	now := time.Now()
	return now.Sub(w.newsAt) >= quietFor && !now.Before(w.lookAt)
}

// lookAround looks, and not again before the consumers had as much rest as it took
// them. Having no answer is no error, and no reason to take the next one for news:
// what is missing takes longer to find out than how much is done.
func (w *Waiter) lookAround(ctx context.Context) error {
	began := time.Now()
	err := w.look(ctx)
	_, w.unseen = errors.AsType[*load.NoAnswerError](err)
	w.lookAt = began.Add(max(lookEvery, 2*time.Since(began)))
	if w.unseen {
		return nil
	}
	return err
}

func (w *Waiter) nextInterval(interval time.Duration, news bool) time.Duration {
	switch {
	case news:
		return min(max(firstInterval, time.Since(w.began)/lateShare), busyInterval)
	case time.Since(w.newsAt) < quietFor:
		return min(2*interval, busyInterval)
	}
	return min(2*interval, idleInterval)
}

// say tells now and then what is being waited for.
func (w *Waiter) say() {
	if now := time.Now(); now.Sub(w.saidAt) >= sayEvery {
		w.saidAt = now
		text := fmt.Sprintf("waiting for the consumer: %d of %d batches committed", w.done, w.Ours.Batches)
		switch {
		case w.silent != nil:
			w.Log.Info(text, "cause", w.silent)
		case w.unseen:
			w.Log.Info(text, "cause", "the consumer does not find out in time which batches are missing: see its log")
		case !w.Quiet:
			w.Log.Info(text)
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
