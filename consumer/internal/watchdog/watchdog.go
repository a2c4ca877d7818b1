// Package watchdog notices when the consumer does not do its work: it says so
// to whoever asks, rebuilds what takes messages in, and ends the process where
// that does not help.
package watchdog

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// every is the time between looks, and lookWithin what each gets.
	every      = time.Second
	lookWithin = 1500 * time.Millisecond
)

// Database is PostgreSQL, asked by a session that nothing else uses.
type Database interface {
	Ping(ctx context.Context) error
	// FreeLost breaks off what waits for an answer that PostgreSQL does not owe.
	FreeLost(ctx context.Context) error
}

// Broker is NATS.
type Broker interface {
	// Connected is nil, or why it is not.
	Connected() error
	// Deliverable says whether messages wait that anyone may fetch now.
	Deliverable(ctx context.Context) (bool, error)
	// Reconnect makes the connection anew.
	Reconnect() error
}

// Worker is what does the work.
type Worker interface {
	Work() Work
	// Resubscribe has messages asked for anew.
	Resubscribe()
}

// Watchdog is safe for concurrent use.
type Watchdog struct {
	database Database
	broker   Broker
	worker   Worker
	logger   *slog.Logger

	mu    sync.Mutex
	judge judge
}

// New returns a Watchdog that has not looked yet, and takes it that all works.
func New(database Database, broker Broker, worker Worker, logger *slog.Logger) *Watchdog {
	w := &Watchdog{database: database, broker: broker, worker: worker, logger: logger}
	w.judge.begin(time.Now())
	return w
}

// NotReady is why the consumer does not do its work, as one line; empty when it
// does. A dependency is lost 3 s after it last answered, work stalls 4 s after
// the last progress.
func (w *Watchdog) NotReady() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.judge.notReady(time.Now())
}

// State is what the last look found.
type State struct {
	// PostgreSQL and NATS say whether they answered.
	PostgreSQL, NATS bool
	// Stalled is for how long there has been work and no progress; 0 where there
	// is progress, nothing to do, or one of the two does not answer.
	Stalled time.Duration
}

// State is that of the last look.
func (w *Watchdog) State() State {
	w.mu.Lock()
	defer w.mu.Unlock()
	state := State{PostgreSQL: w.judge.postgresE == nil, NATS: w.judge.natsE == nil}
	if state.PostgreSQL && state.NATS {
		state.Stalled = w.judge.stalled
	}
	return state
}

// Run looks until ctx is over. It fails with a *StallError alone.
func (w *Watchdog) Run(ctx context.Context) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		l := w.look(ctx)
		if ctx.Err() != nil {
			return nil
		}
		w.mu.Lock()
		act, stalled := w.judge.judge(l), w.judge.stalled
		w.mu.Unlock()
		if err := w.act(act, stalled); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (w *Watchdog) act(act action, stalled time.Duration) error {
	switch act {
	case nothing:
	case resubscribe:
		w.logger.Warn("messages wait and none is fetched: asking for them anew", "stalled", stalled)
		w.worker.Resubscribe()
	case reconnect:
		w.logger.Warn("messages wait and none is fetched: connecting to NATS anew", "stalled", stalled)
		if err := w.broker.Reconnect(); err != nil {
			w.logger.Warn("can't connect to NATS anew", "error", err)
		}
		w.worker.Resubscribe()
	case giveUp:
		return &StallError{After: stalled}
	}
	return nil
}

// look asks everything at once, so that one that is silent hides no other.
func (w *Watchdog) look(ctx context.Context) look {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	var l look
	var asking sync.WaitGroup
	asking.Go(func() {
		if l.postgres = w.database.Ping(ctx); l.postgres != nil {
			return
		}
		if err := w.database.FreeLost(ctx); err != nil && ctx.Err() == nil {
			w.logger.Debug("can't look for statements whose answer was lost", "error", err)
		}
	})
	asking.Go(func() {
		if l.nats = w.broker.Connected(); l.nats == nil {
			l.deliverable, l.unknown = w.broker.Deliverable(ctx)
		}
	})
	asking.Wait()
	l.at, l.work = time.Now(), w.worker.Work()
	return l
}
