package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/streamgauge/streamgauge/consumer/internal/tally"
	"github.com/streamgauge/streamgauge/shared/stats"
)

// A command tries its transaction again while what stands in the way may pass,
// for so long in all, with such pauses.
const (
	changeWithin = 30 * time.Second
	changePause  = 200 * time.Millisecond
)

// change runs f in a transaction and commits it. What passes is tried again,
// the transaction from its beginning: f must not have lasting effects beside it.
// Once it is in doubt whether an attempt was committed, f is told so, and has to
// find out what that one has done.
func (s *Store) change(ctx context.Context, f func(tx pgx.Tx, inDoubt bool) error) error {
	began := time.Now()
	inDoubt := false
	for {
		err := s.changeOnce(ctx, func(tx pgx.Tx) error { return f(tx, inDoubt) })
		if _, unanswered := errors.AsType[*commitError](err); unanswered {
			inDoubt = true
		}
		if err == nil || Classify(err) != Retry || ctx.Err() != nil || time.Since(began) > changeWithin {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(changePause/2 + rand.N(changePause)):
		}
	}
}

func (s *Store) changeOnce(ctx context.Context, f func(pgx.Tx) error) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	stop := s.unblock(ctx, conn.Conn().PgConn().PID())
	defer stop()
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted})
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		return errors.Join(err, rollback(ctx, tx))
	}
	if err := tx.Commit(ctx); err != nil {
		return &commitError{err}
	}
	return nil
}

// addToStats brings the statistics up to date as advance does, for a change
// that no batch makes. From here to the commit nobody else changes them.
func addToStats(ctx context.Context, tx pgx.Tx, summary *tally.Summary, rejected, dead int64, name *string) (*stats.Snapshot, error) {
	change, err := prepare(ctx, tx, summary, nil)
	if err != nil {
		return nil, fmt.Errorf("lock the statistics: %w", err)
	}
	var pipeline pgx.Batch
	var snapshot *stats.Snapshot
	change.queue(&pipeline, rejected, dead, name, &snapshot)
	if err := tx.SendBatch(ctx, &pipeline).Close(); err != nil {
		return nil, fmt.Errorf("update the statistics: %w", err)
	}
	return snapshot, nil
}
