package store

import (
	"context"
	"errors"
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
// the transaction from its beginning: f must not have lasting effects beside it,
// and has to stand being repeated after a commit whose reply was lost.
func (s *Store) change(ctx context.Context, f func(pgx.Tx) error) error {
	began := time.Now()
	for {
		err := s.changeOnce(ctx, f)
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
	return tx.Commit(ctx)
}

// addToStats brings the statistics up to date as advance does, for a change
// that no batch makes. From here to the commit nobody else changes them.
func addToStats(ctx context.Context, tx pgx.Tx, total *tally.Tally, rejected, dead int64, name *string) (*stats.Snapshot, error) {
	sums := total.Sums()
	var first, last *time.Time
	if total.Rows > 0 {
		f, l := time.UnixMicro(total.First).UTC(), time.UnixMicro(total.Last).UTC()
		first, last = &f, &l
	}
	return scanSnapshot(tx.QueryRow(ctx, updateStats, total.Rows, total.Count, rejected, dead, sums.Sum, sums.Squares,
		nullIfEmpty(sums.Min), nullIfEmpty(sums.Max), first, last, name))
}
