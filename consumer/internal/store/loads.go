package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/streamgauge/streamgauge/shared/stats"
	"github.com/streamgauge/streamgauge/shared/wire"
)

const loadColumns = `source_id, identity, name, size, plan, batches, done, rows, rejected, retired_at IS NOT NULL`

// Ask answers what the database knows of a source, as of one moment.
func (s *Store) Ask(ctx context.Context, request wire.LoadRequest) (*wire.LoadReply, error) {
	reply := &wire.LoadReply{}
	err := s.read(ctx, func(tx pgx.Tx) error {
		if request.Source != "" {
			if err := askSource(ctx, tx, request, reply); err != nil {
				return err
			}
		}
		if request.Name == "" {
			return nil
		}
		rows, err := tx.Query(ctx, "SELECT "+loadColumns+" FROM sources WHERE name = $1 AND retired_at IS NULL ORDER BY source_id DESC LIMIT $2", request.Name, wire.MaxNamed)
		if err != nil {
			return err
		}
		reply.Named, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (wire.Load, error) {
			_, load, err := scanLoad(row)
			return load, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look a load up: %w", err)
	}
	return reply, nil
}

func askSource(ctx context.Context, tx pgx.Tx, request wire.LoadRequest, reply *wire.LoadReply) error {
	id, load, err := scanLoad(tx.QueryRow(ctx, "SELECT "+loadColumns+" FROM sources WHERE identity = $1", request.Source))
	switch {
	case errors.Is(err, pgx.ErrNoRows):
	case err != nil:
		return err
	default:
		if load.Missing, load.MissingMore, err = missing(ctx, tx, id, &load, within(request.Missing, wire.MaxMissing)); err != nil {
			return err
		}
		if load.Rejects, err = firstRejects(ctx, tx, id, within(request.Rejects, wire.MaxRejects)); err != nil {
			return err
		}
		reply.Load = &load
	}
	reply.Dead, err = deadOf(ctx, tx, request.Source)
	return err
}

// within keeps a number from a question between 0 and what an answer may hold.
func within(asked, most int) int { return max(0, min(asked, most)) }

// scanLoad reads loadColumns.
func scanLoad(row pgx.Row) (id int32, load wire.Load, err error) {
	var plan []byte
	err = row.Scan(&id, &load.Source, &load.Name, &load.Size, &plan, &load.Batches, &load.Done, &load.Rows, &load.Rejected, &load.Retired)
	if err != nil {
		return 0, wire.Load{}, err
	}
	// A plan of a newer version is shown as far as it can be read: it differs
	// from any of this version's all the same.
	if err := json.Unmarshal(plan, &load.Plan); err != nil {
		return 0, wire.Load{}, fmt.Errorf("plan of %s: %w", load.Source, err)
	}
	return id, load, nil
}

// selectMissing finds the gaps in the ledger's numbers, in their order. It counts a
// thousand at a time, and compares each with the one before only where that says
// that some are missing: to compare all of them takes five times as long, and a
// sort on disk.
const selectMissing = `
WITH RECURSIVE chunk (after, last, held) AS (
     SELECT 0::bigint, 0::bigint, 0::bigint
      UNION ALL
     SELECT chunk.last, next.last, next.held
       FROM chunk
      CROSS JOIN LATERAL (SELECT max(batch), count(*)
                            FROM (SELECT batch FROM batches WHERE source_id = $1 AND batch > chunk.last ORDER BY batch LIMIT 1000) AS numbers
                         ) AS next (last, held)
      WHERE next.held > 0
)
SELECT gap.first, gap.last
  FROM chunk
 CROSS JOIN LATERAL (SELECT previous + 1, batch - 1
                       FROM (SELECT batch, lag(batch, 1, chunk.after) OVER (ORDER BY batch) AS previous
                               FROM batches WHERE source_id = $1 AND batch > chunk.after AND batch <= chunk.last) AS steps
                      WHERE batch > previous + 1) AS gap (first, last)
 WHERE chunk.last - chunk.after > chunk.held
 UNION ALL
SELECT coalesce(max(batch), 0) + 1, $2 FROM batches WHERE source_id = $1 HAVING coalesce(max(batch), 0) < $2
 LIMIT $3`

func missing(ctx context.Context, tx pgx.Tx, id int32, load *wire.Load, limit int) ([]wire.Range, bool, error) {
	if limit == 0 || load.Complete() {
		return nil, false, nil
	}
	// A plan from when the table was small would read all of it for each thousand:
	// each question gets one of its own.
	rows, err := tx.Query(ctx, selectMissing, pgx.QueryExecModeCacheDescribe, id, load.Batches, limit+1)
	if err != nil {
		return nil, false, err
	}
	ranges, err := pgx.CollectRows(rows, pgx.RowToStructByPos[wire.Range])
	if len(ranges) > limit {
		return ranges[:limit], true, err
	}
	return ranges, false, err
}

func firstRejects(ctx context.Context, tx pgx.Tx, id int32, limit int) ([]wire.Reject, error) {
	if limit == 0 {
		return nil, nil
	}
	rows, err := tx.Query(ctx, `SELECT line, coalesce(column_name, ''), reason, substring(raw FOR $2)
		FROM rejects WHERE source_id = $1 ORDER BY line LIMIT $3`, id, wire.MaxRaw, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[wire.Reject])
}

func deadOf(ctx context.Context, tx pgx.Tx, identity string) ([]wire.DeadBatch, error) {
	rows, err := tx.Query(ctx, `SELECT coalesce(claimed_batch, 0), stream_sequence, reason
		FROM dead_batches WHERE claimed_source = $1 ORDER BY dead_batch_id DESC LIMIT $2`, identity, wire.MaxDead)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (wire.DeadBatch, error) {
		var d wire.DeadBatch
		var sequence int64
		err := row.Scan(&d.Number, &sequence, &d.Reason)
		d.Sequence = uint64(sequence)
		return d, err
	})
}

// History is a source as 'consumer loads' shows it.
type History struct {
	wire.Load
	CreatedAt   stats.Time `json:"created_at"`
	CompletedAt stats.Time `json:"completed_at"`
	// Before and After are the statistics around the load; After is nil while
	// batches are missing.
	Before *Extract `json:"stats_before"`
	After  *Extract `json:"stats_after"`
}

// Extract is the statistics kept with a load.
type Extract struct {
	Revision int64        `json:"revision"`
	Rows     int64        `json:"rows"`
	Count    int64        `json:"count"`
	Mean     stats.Number `json:"mean"`
	Min      stats.Number `json:"min"`
	Max      stats.Number `json:"max"`
	Rejected int64        `json:"rejected"`
}

// Histories calls show with every source, the oldest first, as of one moment.
func (s *Store) Histories(ctx context.Context, show func(*History) error) error {
	err := s.read(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, "SELECT "+loadColumns+", created_at, completed_at, stats_before, stats_after FROM sources ORDER BY source_id")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var h History
			var plan []byte
			var id int32
			var created, completed *time.Time
			err := rows.Scan(&id, &h.Source, &h.Name, &h.Size, &plan, &h.Batches, &h.Done, &h.Rows, &h.Rejected, &h.Retired,
				&created, &completed, &h.Before, &h.After)
			if err != nil {
				return err
			}
			if err := json.Unmarshal(plan, &h.Plan); err != nil {
				return fmt.Errorf("plan of %s: %w", h.Source, err)
			}
			h.CreatedAt, h.CompletedAt = instant(created), instant(completed)
			if err := show(&h); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err != nil {
		return fmt.Errorf("list the loads: %w", err)
	}
	return nil
}

// read runs f in a read-only transaction that sees one moment.
func (s *Store) read(ctx context.Context, f func(pgx.Tx) error) error {
	tx, err := s.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return err
	}
	return errors.Join(f(tx), rollback(ctx, tx))
}
