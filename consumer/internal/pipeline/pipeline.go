// Package pipeline is the consumer's way from message to acknowledgement:
// messages at hand are decoded, merged into one transaction, and acknowledged
// when it has been committed.
package pipeline

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/streamgauge/streamgauge/consumer/internal/decode"
	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/shared/stats"
)

// Limits of one transaction. A merge ends with the message that reaches one.
const (
	DefaultBatchesPerCommit = 256
	maxRows                 = 50_000
	maxBytes                = 8 << 20
)

// Writers is how many transactions are under way at most: while one waits for
// PostgreSQL's disk, another reads.
const Writers = 2

// Source is where messages come from.
type Source interface {
	// Take waits for a message; nil means that there will be no more.
	Take(ctx context.Context) (Message, error)
	// TryTake returns nil when none is at hand.
	TryTake() Message
	// Suspend leaves the messages to other consumers until Resume.
	Suspend()
	Resume()
}

// Message is a message in hand, until it is acknowledged or given back.
type Message interface {
	Content() *decode.Message
	// Ack tells the server that the message has taken effect.
	Ack() error
	// Release gives the message back to be delivered again.
	Release() error
}

// Database is what gives messages their effect; see store.Store.
type Database interface {
	// Ping says whether it answers.
	Ping(ctx context.Context) error
	Write(ctx context.Context, batches []*store.Batch, dead []*store.Dead, committed func(*stats.Snapshot)) (*store.Result, error)
}

// Meter is told what came of each attempt to write. It must not block, and is
// safe for concurrent use.
type Meter interface {
	// Committed is called once a transaction has taken effect, with how long it
	// took. The batches are the caller's again afterwards.
	Committed(batches []*store.Batch, result *store.Result, took time.Duration)
	// Failed is called with the class of what kept one from it.
	Failed(class store.Class)
}

// noMeter is where nobody counts.
type noMeter struct{}

func (noMeter) Committed([]*store.Batch, *store.Result, time.Duration) {}
func (noMeter) Failed(store.Class)                                     {}

// Config of a Pipeline.
type Config struct {
	// BatchesPerCommit is the most messages merged into one transaction. With 1
	// there is also one transaction at a time: whoever wants to see each batch's
	// effect wants to see them in the order of the stream.
	BatchesPerCommit int
	// Announce is called with each snapshot that was committed, in the order of
	// revisions. It must not block.
	Announce func(*stats.Snapshot)
	// Activity is kept up to date, unless it is nil.
	Activity *Activity
	// Meter is told of every transaction, unless it is nil.
	Meter Meter
	// Jitter draws from zero up to most, most excluded; nil draws at random.
	Jitter func(most time.Duration) time.Duration
}

func (c Config) jitter(most time.Duration) time.Duration {
	if c.Jitter == nil {
		return rand.N(most)
	}
	return c.Jitter(most)
}

func (c Config) writers() int {
	if c.BatchesPerCommit == 1 {
		return 1
	}
	return Writers
}

// Run moves messages until the source has no more, or an error is fatal, or ctx
// is over, which also breaks off the transactions under way.
func Run(ctx context.Context, source Source, database Database, config Config, logger *slog.Logger) error {
	if config.Activity == nil {
		config.Activity = new(Activity)
	}
	if config.Meter == nil {
		config.Meter = noMeter{}
	}
	counter := newCounter(logger)
	defer counter.close()
	group, ctx := errgroup.WithContext(ctx)
	for range config.writers() {
		w := &writer{source: source, database: database, config: config, logger: logger, counter: counter}
		group.Go(func() error { return w.run(ctx) })
	}
	return group.Wait()
}
