package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/streamgauge/streamgauge/shared/stats"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// What a load has left, in the order in which writers lock it. A batch that
// another transaction adds meanwhile is not seen by these.
const (
	deleteBatches     = `DELETE FROM batches WHERE source_id = $1`
	deleteRejects     = `DELETE FROM rejects WHERE source_id = $1`
	deleteCorrections = `DELETE FROM corrections WHERE source_id = $1`
	deletePrices      = `DELETE FROM prices WHERE source_id = $1`
)

const retireSource = `
UPDATE sources
   SET retired_at = clock_timestamp(), claims_name = false, done = 0, rows = 0, rejected = 0,
       completed_at = NULL, stats_before = NULL, stats_after = NULL
 WHERE source_id = $1 AND retired_at IS NULL
RETURNING retired_at`

const selectRetired = `SELECT EXISTS (SELECT FROM sources WHERE source_id = $1 AND retired_at = $2)`

// recomputeStats scans the table, as nothing else does that changes it.
const recomputeStats = `
UPDATE stats
   SET revision = revision + 1, source = $1, updated_at = clock_timestamp(),
       rejected = (SELECT count(*) FROM rejects),
       (rows, grouped, count, bucketed, sum, sum_squares, min, max, buckets) =
       (SELECT coalesce(t.rows, 0), coalesce(t.rows, 0), coalesce(t.count, 0), coalesce(t.count, 0), coalesce(t.sum, 0),
               coalesce(t.sum_squares, 0), t.min, t.max, coalesce(t.buckets, '')
          FROM (VALUES (0)) AS one (key) LEFT JOIN table_stats('all') AS t USING (key)),
       (first, last) = (SELECT min("timestamp"), max("timestamp") FROM prices)
 WHERE metric = 'price'
RETURNING ` + snapshotColumns

// A source or a day that has no rows left stays, empty: it is announced.
const (
	emptySource = `
UPDATE stats_by_source
   SET revision = (SELECT revision FROM stats WHERE metric = 'price'),
       rows = 0, count = 0, sum = 0, sum_squares = 0, min = NULL, max = NULL, buckets = ''
 WHERE source_id = $1`
	recomputeDays = `
UPDATE stats_by_day
   SET revision = (SELECT revision FROM stats WHERE metric = 'price'),
       rows = coalesce(t.rows, 0), count = coalesce(t.count, 0), sum = coalesce(t.sum, 0), sum_squares = coalesce(t.sum_squares, 0),
       min = t.min, max = t.max, buckets = coalesce(t.buckets, '')
  FROM stats_by_day AS old LEFT JOIN table_stats('day') AS t ON old.day = date '1970-01-01' + t.key::integer
 WHERE stats_by_day.day = old.day AND old.rows <> coalesce(t.rows, 0)`
)

// Unloaded is what was taken back.
type Unloaded struct {
	wire.Load
	// Snapshot is the statistics of what is left.
	Snapshot *stats.Snapshot

	sourceID  int32
	retiredAt time.Time
}

// Unload takes the load back that given stands for, in one transaction: its rows,
// rejects, corrections and ledger, and its part in the statistics, which are
// computed anew. The source stays, retired. The error is an *UnknownSourceError
// or an *AmbiguousSourceError where given stands for none, or several.
//
// Writers are not kept waiting while the rows are deleted, only from then on.
// What they have added to the load by then is deleted too; who comes later finds
// the source retired.
func (s *Store) Unload(ctx context.Context, given string) (*Unloaded, error) {
	var unloaded *Unloaded
	err := s.change(ctx, func(tx pgx.Tx, inDoubt bool) error {
		if inDoubt {
			var committed bool
			err := tx.QueryRow(ctx, selectRetired, unloaded.sourceID, unloaded.retiredAt).Scan(&committed)
			if err != nil || committed {
				return err
			}
		}
		id, load, err := find(ctx, tx, given)
		if err != nil {
			return err
		}
		attempt, err := unload(ctx, tx, id, load)
		if err == nil {
			unloaded = attempt
		}
		return err
	})
	if errors.Is(err, errRetired) {
		return nil, &UnknownSourceError{Given: given, Retired: true}
	}
	if err != nil {
		return nil, err
	}
	return unloaded, nil
}

func unload(ctx context.Context, tx pgx.Tx, id int32, load *wire.Load) (*Unloaded, error) {
	if err := deleteLoad(ctx, tx, id); err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, lockStats); err != nil {
		return nil, fmt.Errorf("lock the statistics: %w", err)
	}
	if err := deleteLoad(ctx, tx, id); err != nil {
		return nil, err
	}
	var retiredAt time.Time
	err := tx.QueryRow(ctx, retireSource, id).Scan(&retiredAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, errRetired
	}
	if err != nil {
		return nil, fmt.Errorf("retire the source: %w", err)
	}
	snapshot, err := scanSnapshot(tx.QueryRow(ctx, recomputeStats, load.Name))
	if err == nil {
		_, err = tx.Exec(ctx, emptySource, id)
	}
	if err == nil {
		_, err = tx.Exec(ctx, recomputeDays)
	}
	if err != nil {
		return nil, fmt.Errorf("compute the statistics: %w", err)
	}
	return &Unloaded{Load: *load, Snapshot: snapshot, sourceID: id, retiredAt: retiredAt}, nil
}

// deleteLoad deletes what has been committed of a load. It reads the rows only
// where the ledger had batches.
func deleteLoad(ctx context.Context, tx pgx.Tx, id int32) error {
	tag, err := tx.Exec(ctx, deleteBatches, id)
	if err != nil {
		return fmt.Errorf("delete the load: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return nil
	}
	for _, statement := range []string{deleteRejects, deleteCorrections, deletePrices} {
		if _, err := tx.Exec(ctx, statement, id); err != nil {
			return fmt.Errorf("delete the load: %w", err)
		}
	}
	return nil
}
