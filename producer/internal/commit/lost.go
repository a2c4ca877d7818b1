package commit

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/streamgauge/streamgauge/shared/wire"
)

const (
	// attempts is how often a batch is sent before it is left dead.
	attempts = 3
	// Looking at a message costs a request, and its body on the way. A batch
	// whose message is there only waits for its turn, so a few of those a look
	// are enough; those that are gone are worth the time.
	maxPresent = 64
	maxLook    = 2 * time.Second
	// maxLeft is how many batches may be left dead before the wait ends early.
	maxLeft = 100
)

// look finds the batches that the broker has lost or the consumer has set
// aside, and has them sent again. The order makes it right: a batch counts as
// lost if its message was gone from the stream and it was not in the database
// after that. Silence of the stream means nothing is known, and is no error.
func (w *Waiter) look(ctx context.Context) error {
	stored, err := w.ask(ctx, wire.MaxMissing)
	if err != nil {
		return err
	}
	gone, err := w.gone(ctx, w.missing(stored))
	if err != nil || len(gone) == 0 {
		return err
	}
	reply, err := w.askAll(ctx, wire.MaxMissing)
	if err != nil {
		return err
	}
	if stored, err = w.Ours.Judge(reply); err != nil {
		return err
	}
	still := w.missing(stored)
	lost := gone.intersect(still)
	dead, err := w.dead(lost, reply.Dead)
	if err != nil {
		return err
	}
	return w.sendAgain(ctx, stored, still, lost, dead)
}

// missing are the batches that are known not to be in the database. There may
// be more behind them, for a later look.
func (w *Waiter) missing(stored *wire.Load) ranges {
	if stored == nil {
		return ranges{{First: 1, Last: w.Ours.Batches}}
	}
	return stored.Missing
}

// gone are those of missing whose message is not in the stream any more, as far
// as one look tells. It begins behind the batch where the last look ended.
func (w *Waiter) gone(ctx context.Context, missing ranges) (ranges, error) {
	first, last, err := w.Stream.Bounds(ctx)
	if err != nil {
		return nil, ctx.Err()
	}
	var found [2]ranges // behind the cursor, and before it
	present, deadline := 0, time.Now().Add(maxLook)
	start := w.cursor
	for i, turn := range []ranges{{{First: start + 1, Last: w.Ours.Batches}}, {{First: 1, Last: start}}} {
		var failure error
		visit := func(number int64, sequence uint64) bool {
			if sequence < first || sequence > last {
				found[i].add(number)
				return true
			}
			if present >= maxPresent || time.Now().After(deadline) {
				return true
			}
			w.cursor = number
			claim, err := w.Stream.At(ctx, sequence)
			switch {
			case err != nil:
				failure = err
			case claim.Source == w.Ours.Source && claim.Number == number:
				present++
			default:
				found[i].add(number)
			}
			return failure == nil
		}
		for _, r := range missing.intersect(turn) {
			if err := w.Sequences.Each(r, visit); err != nil {
				return nil, err
			}
			if failure != nil {
				return nil, ctx.Err()
			}
		}
	}
	return append(found[1], found[0]...), nil
}

// dead are those of lost that were set aside since they were last sent. What was
// set aside in an earlier stream may bear the sequence that a batch has in this
// one; it has been counted before.
func (w *Waiter) dead(lost ranges, claimed []wire.DeadBatch) (map[int64]wire.DeadBatch, error) {
	dead := make(map[int64]wire.DeadBatch)
	found := make(map[grave]int)
	for _, one := range claimed {
		if !lost.has(one.Number) {
			continue
		}
		err := w.Sequences.Each(wire.Range{First: one.Number, Last: one.Number}, func(number int64, sequence uint64) bool {
			if sequence != 0 && sequence == one.Sequence {
				found[grave{number, sequence}]++
				dead[number] = one
			}
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	for at, times := range found {
		if times <= w.graves[at] {
			delete(dead, at.number)
		}
		w.graves[at] = times
	}
	return dead, nil
}

// grave is where a batch was set aside.
type grave struct {
	number   int64
	sequence uint64
}

// sendAgain sends what is lost again, and what is dead unless it was sent often
// enough. When nothing but such batches is missing the wait ends.
func (w *Waiter) sendAgain(ctx context.Context, stored *wire.Load, still, lost ranges, dead map[int64]wire.DeadBatch) error {
	dying := slices.Sorted(maps.Keys(dead))
	for _, number := range dying {
		if w.deaths[number]++; w.deaths[number] == attempts {
			w.left[number] = dead[number]
		}
	}
	if w.onlyLeft(still, stored != nil && stored.MissingMore) {
		return &DeadError{Batches: slices.SortedFunc(maps.Values(w.left), byNumber), Load: stored}
	}
	again := lost.without(slices.Sorted(maps.Keys(w.left)))
	if len(dead) >= wire.MaxDead {
		// The answer holds no more than these: what seems lost beside them may
		// have been set aside as well.
		again = again.intersect(of(dying))
	}
	if again.count() == 0 {
		return nil
	}
	w.tell(again, dying, dead)
	if err := w.Resend(ctx, again); err != nil {
		return err
	}
	w.newsAt = time.Now()
	return nil
}

// onlyLeft says whether there is nothing to wait for but batches that have been
// left dead, or so many of those that the cause must lie elsewhere.
func (w *Waiter) onlyLeft(still ranges, more bool) bool {
	if len(w.left) >= maxLeft {
		return true
	}
	return len(w.left) > 0 && !more && len(still.without(slices.Sorted(maps.Keys(w.left)))) == 0
}

func (w *Waiter) tell(again ranges, dying []int64, dead map[int64]wire.DeadBatch) {
	lost := again.count()
	for _, number := range dying {
		if again.has(number) {
			lost--
			w.Log.Warn(fmt.Sprintf("batch %d was set aside by the consumer: sending it again", number), "reason", dead[number].Reason)
		}
	}
	if lost > 0 {
		w.Log.Warn(fmt.Sprintf("the broker has lost %d of %d batches: sending them again", lost, w.Ours.Batches))
	}
}

func byNumber(a, b wire.DeadBatch) int { return cmp.Compare(a.Number, b.Number) }
