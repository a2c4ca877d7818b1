// Package store is the consumer's only way into PostgreSQL: the transaction
// that gives batches their effect, and the questions asked of what it left.
package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/streamgauge/streamgauge/consumer/internal/tally"
	"github.com/streamgauge/streamgauge/shared/stats"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// Source is what a batch says of the source it belongs to.
type Source struct {
	// Identity is unique: the source's digest, with +label or without.
	Identity string
	Name     string
	Size     int64
	Plan     wire.Plan
	Batches  int64
	// SameName says that other content may already stand under Name.
	SameName bool
}

// Batch is a decoded batch, ready to be stored. Write sets the source id within
// Rows, and nothing else.
type Batch struct {
	Source    Source
	Number    int64
	FirstLine int64
	Records   int
	// Rows are tuples in binary COPY format, as package pgcopy makes them.
	Rows []byte
	// Tally notes what Rows holds.
	Tally   tally.Sheet
	Rejects []Reject
}

// Reject is a record that can't be stored. Its slices stay as they are until
// Write has returned.
type Reject struct {
	Line int64
	// Column is empty where it is the whole record.
	Column string
	Reason string
	Raw    []byte
	// Length is that of the whole record; Digest is set where Raw is only its beginning.
	Length int64
	Digest *[sha256.Size]byte
}

// Dead is a message to be set aside whole.
type Dead struct {
	Sequence uint64
	Time     time.Time
	Subject  string
	// Headers is the header block as NATS carries it, empty where there is none.
	Headers []byte
	Payload []byte
	Reason  string
	// ClaimedSource and ClaimedBatch are what readable headers say; zero values
	// where they say nothing.
	ClaimedSource string
	ClaimedBatch  int64
}

// Outcome is what became of one batch in a committed transaction.
type Outcome int

// The outcomes. Each of them means that the message can be acknowledged.
const (
	// Stored: its rows and rejects were stored now.
	Stored Outcome = iota + 1
	// AlreadyStored: the ledger had it; nothing changed.
	AlreadyStored
	// Superseded: its source is being loaded by another plan; nothing changed.
	Superseded
	// Refused: other content stands under its source's name; nothing changed.
	Refused
	// Retired: its source was unloaded; nothing changed.
	Retired
)

// Result is what a committed transaction did.
type Result struct {
	// Outcomes has one outcome for each batch given, in the same order.
	Outcomes []Outcome
	// Dead is how many of the dead messages given were new.
	Dead int
	// Snapshot is the statistics as this transaction left them; nil when it
	// changed nothing.
	Snapshot *stats.Snapshot
	// Completed names the sources whose last batch was in this transaction.
	Completed []Source
}

// Store is safe for concurrent use.
type Store struct {
	pool   *pgxpool.Pool
	logger *slog.Logger
	// commit is held from the statistics' update to the end of the transaction.
	// PostgreSQL's lock on the row would order the commits all the same; this
	// one also orders what callers are told, so that one process announces its
	// revisions in order.
	commit  sync.Mutex
	flights flights
}

// New returns a Store on pool, which the caller closes.
func New(pool *pgxpool.Pool, logger *slog.Logger) *Store {
	return &Store{pool: pool, logger: logger}
}

// Ping says whether PostgreSQL answers.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	return s.pool.Ping(ctx)
}

// Write gives batches and dead messages their effect in one transaction, each
// at most once whatever was written before. committed is called with the
// snapshot, if there is one, directly after the commit and in the order of
// revisions over all concurrent calls; it must not block.
//
// After an error nothing is known: a commit may have taken effect although its
// reply was lost. The same call can be repeated, the ledger decides. Classify
// says whether that is worth while.
func (s *Store) Write(ctx context.Context, batches []*Batch, dead []*Dead, committed func(*stats.Snapshot)) (*Result, error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	end := s.flights.begin(conn.Conn().PgConn())
	defer end()
	stop := s.unblock(ctx, conn.Conn().PgConn().PID())
	defer stop()

	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted})
	if err != nil {
		return nil, err
	}
	result, err := s.write(ctx, tx, batches, dead, committed)
	if err != nil {
		return nil, errors.Join(err, rollback(ctx, tx))
	}
	return result, nil
}

func (s *Store) write(ctx context.Context, tx pgx.Tx, batches []*Batch, dead []*Dead, committed func(*stats.Snapshot)) (*Result, error) {
	result := &Result{Outcomes: make([]Outcome, len(batches))}
	sources, err := register(ctx, tx, batches)
	if err != nil {
		return nil, err
	}
	fresh, err := claim(ctx, tx, batches, sources, result.Outcomes)
	if err != nil {
		return nil, err
	}
	if err := copyRows(ctx, tx, fresh); err != nil {
		return nil, err
	}
	if err := insertRejects(ctx, tx, fresh); err != nil {
		return nil, err
	}
	if result.Dead, err = insertDead(ctx, tx, dead); err != nil {
		return nil, err
	}
	if len(fresh) == 0 && result.Dead == 0 {
		return result, tx.Commit(ctx)
	}

	turn := s.flights.wait(tx.Conn().PgConn().PID())
	s.commit.Lock()
	turn()
	defer s.commit.Unlock()
	result.Snapshot, result.Completed, err = advance(ctx, tx, fresh, result.Dead)
	if err != nil {
		return nil, err
	}
	if err := tx.Commit(ctx); err != nil {
		return nil, err
	}
	if committed != nil {
		committed(result.Snapshot)
	}
	return result, nil
}

// rollbackTimeout bounds a rollback; the session is discarded when it does not
// answer in time.
const rollbackTimeout = time.Second

// rollback works also when ctx is over, which is often why it is called.
func rollback(ctx context.Context, tx pgx.Tx) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	err := tx.Rollback(ctx)
	// The server ends a session's transaction with it, and a session that was idle
	// for idleTimeout, as that of a list whose reader takes its time.
	if err != nil && !tx.Conn().IsClosed() && !errors.Is(err, pgx.ErrTxClosed) {
		return fmt.Errorf("roll back: %w", err)
	}
	return nil
}
