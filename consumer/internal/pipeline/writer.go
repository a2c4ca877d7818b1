package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/streamgauge/streamgauge/consumer/internal/decode"
	"github.com/streamgauge/streamgauge/consumer/internal/store"
)

// Pauses between attempts to write, doubled each time and drawn at random from
// the upper half, so that consumers do not come back all at once.
const (
	pauseFirst = 50 * time.Millisecond
	pauseMost  = 2 * time.Second
	// complainEvery is how often an outage is logged.
	complainEvery = 5 * time.Second
	// giveBackAfter is how long a merge is kept through failures. Then it is left
	// to other consumers, whose way to the database may be open.
	giveBackAfter = 5 * time.Second
)

// writer writes one merge after the other.
type writer struct {
	source   Source
	database Database
	config   Config
	logger   *slog.Logger
	counter  *counter
	decoder  decode.Decoder
	// complained is when an outage was logged last.
	complained time.Time
}

// item is a message with what it was decoded to: a batch or a dead message.
type item struct {
	message Message
	batch   *store.Batch
	dead    *store.Dead
}

func (w *writer) run(ctx context.Context) error {
	for {
		items, err := w.gather(ctx)
		if err != nil || len(items) == 0 {
			return err
		}
		if err := w.write(ctx, items); err != nil {
			w.release(items)
			return err
		}
	}
}

// gather takes a message and the others at hand, up to the limits. It waits
// only for the first: what arrives during a transaction is the next merge.
func (w *writer) gather(ctx context.Context) ([]item, error) {
	message, err := w.source.Take(ctx)
	if err != nil || message == nil {
		return nil, err
	}
	var items []item
	rows, bytes := 0, 0
	for message != nil {
		it := w.decode(message)
		items = append(items, it)
		bytes += message.Content().Size()
		if it.batch != nil {
			rows += it.batch.Records
		}
		if len(items) >= w.config.BatchesPerCommit || rows >= maxRows || bytes >= maxBytes {
			break
		}
		message = w.source.TryTake()
	}
	return items, nil
}

func (w *writer) decode(message Message) item {
	content := message.Content()
	batch, err := w.decoder.Decode(content)
	if err != nil {
		w.logger.Warn("a message can't be decoded: setting it aside",
			"stream_sequence", content.Sequence, "subject", content.Subject, "reason", err)
		return item{message: message, dead: decode.Dead(content, err.Error())}
	}
	return item{message: message, batch: batch}
}

// write gives items their effect and acknowledges them, or gives them back when
// what stands in the way does not pass soon. Values that PostgreSQL refuses are
// looked for message by message, so that only the one that holds them is set
// aside.
func (w *writer) write(ctx context.Context, items []item) error {
	pause, began := pauseFirst, time.Now()
	for {
		err := w.commit(ctx, items)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		class := store.Classify(err)
		w.config.Meter.Failed(class)
		switch class {
		case store.Poison:
			return w.isolate(ctx, items, err)
		case store.Retry:
			w.config.Activity.fail(store.Explain(err))
			if w.mayComplain() {
				w.logger.Warn("can't write to PostgreSQL, trying again", "error", store.Explain(err), "messages", len(items))
			}
			if time.Since(began) >= giveBackAfter {
				w.release(items)
				return w.awaitDatabase(ctx)
			}
		default:
			return fmt.Errorf("write to PostgreSQL: %s", store.Explain(err))
		}
		if pause, err = w.wait(ctx, pause); err != nil {
			return err
		}
	}
}

// awaitDatabase takes no messages until the database answers.
func (w *writer) awaitDatabase(ctx context.Context) error {
	w.source.Suspend()
	pause := pauseFirst
	for {
		err := w.database.Ping(ctx)
		if err == nil {
			w.config.Activity.answers()
			w.source.Resume()
			return nil
		}
		if w.mayComplain() {
			w.logger.Warn("can't reach PostgreSQL: leaving the messages to other consumers until it answers", "error", store.Explain(err))
		}
		if pause, err = w.wait(ctx, pause); err != nil {
			return err
		}
	}
}

// mayComplain says whether an outage was not logged lately. It stays quiet
// across the merges that one outage fails.
func (w *writer) mayComplain() bool {
	if time.Since(w.complained) < complainEvery {
		return false
	}
	w.complained = time.Now()
	return true
}

// wait pauses, and returns the pause to make next.
func (w *writer) wait(ctx context.Context, pause time.Duration) (next time.Duration, err error) {
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(pause/2 + w.config.jitter(pause/2)):
		return min(2*pause, pauseMost), nil
	}
}

func (w *writer) isolate(ctx context.Context, items []item, refused error) error {
	if len(items) > 1 {
		for i := range items {
			if err := w.write(ctx, items[i:i+1]); err != nil {
				return err
			}
		}
		return nil
	}
	message := items[0].message
	content := message.Content()
	w.logger.Warn("PostgreSQL refuses a message's values: setting it aside",
		"stream_sequence", content.Sequence, "reason", refused)
	return w.write(ctx, []item{{message: message, dead: decode.Dead(content, refused.Error())}})
}

// commit makes one attempt, and acknowledges what it committed.
func (w *writer) commit(ctx context.Context, items []item) error {
	batches, dead := make([]*store.Batch, 0, len(items)), []*store.Dead(nil)
	for _, it := range items {
		if it.dead != nil {
			dead = append(dead, it.dead)
		} else {
			batches = append(batches, it.batch)
		}
	}
	w.config.Activity.begin()
	began := time.Now()
	result, err := w.database.Write(ctx, batches, dead, w.config.Announce)
	w.config.Activity.end(err)
	if err != nil {
		return err
	}
	w.config.Meter.Committed(batches, result, time.Since(began))
	w.report(batches, result)
	for _, b := range batches {
		w.decoder.Recycle(b)
	}
	var lost error
	for _, it := range items {
		lost = errors.Join(lost, it.message.Ack())
	}
	if lost != nil {
		w.logger.Debug("acknowledgements were lost: the messages will come again, and change nothing", "error", lost)
	}
	return nil
}

func (w *writer) report(batches []*store.Batch, result *store.Result) {
	for i, b := range batches {
		switch result.Outcomes[i] {
		case store.Stored:
			w.counter.stored(b)
		case store.AlreadyStored:
			w.counter.repeated()
		case store.Superseded:
			w.counter.superseded(b)
		case store.Refused:
			w.counter.refused(b)
		case store.Retired:
			w.counter.retired(b)
		}
	}
	w.counter.committed(result)
}

// release gives messages back that won't be written here.
func (w *writer) release(items []item) {
	for _, it := range items {
		if err := it.message.Release(); err != nil {
			w.logger.Debug("a message could not be given back: it will come again", "error", err)
		}
	}
}
