package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/streamgauge/streamgauge/consumer/internal/pgcopy"
	"github.com/streamgauge/streamgauge/consumer/internal/tally"
	"github.com/streamgauge/streamgauge/shared/record"
	"github.com/streamgauge/streamgauge/shared/stats"
)

// Correction puts a row in the place of a reject.
type Correction struct {
	// Identity and Line say which reject.
	Identity string
	Line     int64
	// Record is the corrected record, and Row what it says.
	Record []byte
	Row    record.Row
}

// Locked in the order of their keys, so that two that correct the same wait for
// each other. Whoever comes second finds the row gone and gets nothing.
const lockRejects = `
SELECT wanted.number, rejects.source_id, rejects.batch, sources.name
  FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS wanted (identity, line, number)
  JOIN sources USING (identity)
  JOIN rejects ON rejects.source_id = sources.source_id AND rejects.line = wanted.line
 ORDER BY rejects.source_id, rejects.batch, rejects.line, wanted.number
   FOR UPDATE OF rejects`

const resolveRejects = `
WITH resolved AS (
    DELETE FROM rejects USING unnest($1::integer[], $2::bigint[], $3::bigint[], $4::bytea[]) AS new (source_id, batch, line, corrected)
     WHERE rejects.source_id = new.source_id AND rejects.batch = new.batch AND rejects.line = new.line
    RETURNING rejects.*, new.corrected)
INSERT INTO corrections (source_id, batch, line, column_name, reason, raw, length, digest, rejected_at, corrected)
SELECT source_id, batch, line, column_name, reason, raw, length, digest, rejected_at, corrected FROM resolved`

// What stands corrected as $3 says.
const selectCorrected = `
SELECT wanted.number
  FROM unnest($1::text[], $2::bigint[], $3::bytea[]) WITH ORDINALITY AS wanted (identity, line, corrected, number)
  JOIN sources USING (identity)
  JOIN corrections ON corrections.source_id = sources.source_id AND corrections.line = wanted.line
                  AND corrections.corrected = wanted.corrected`

const moveToRows = `
UPDATE sources SET rows = sources.rows + new.n, rejected = sources.rejected - new.n
  FROM unnest($1::integer[], $2::bigint[]) AS new (source_id, n)
 WHERE sources.source_id = new.source_id AND sources.retired_at IS NULL`

// Correct puts rows in the place of rejects, in one transaction, each only
// where the reject still stands: applied says for each correction whether it
// did. The statistics it returns are nil where nothing was applied. It tries
// again for a while what may pass; the call can be repeated after an error.
func (s *Store) Correct(ctx context.Context, corrections []Correction) (applied []bool, snapshot *stats.Snapshot, err error) {
	tried := make([]bool, len(corrections)) // by attempts that came to their COMMIT
	err = s.change(ctx, func(tx pgx.Tx, inDoubt bool) error {
		now, after, err := correct(ctx, tx, corrections)
		if err == nil && inDoubt {
			err = addCorrected(ctx, tx, corrections, tried, now)
		}
		if err != nil {
			return err
		}
		if applied = now; after != nil {
			snapshot = after
		}
		for i, did := range applied {
			tried[i] = tried[i] || did
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("correct rejects: %w", err)
	}
	return applied, snapshot, nil
}

// addCorrected adds to applied what an earlier attempt has corrected whose COMMIT
// was in doubt: of what it tried, those that stand corrected so. It comes after
// the lock on the rejects, which waits for that attempt's end.
func addCorrected(ctx context.Context, tx pgx.Tx, corrections []Correction, tried, applied []bool) error {
	identities, lines, records := make([]string, len(corrections)), make([]int64, len(corrections)), make([][]byte, len(corrections))
	for i, c := range corrections {
		identities[i], lines[i], records[i] = c.Identity, c.Line, c.Record
	}
	rows, err := tx.Query(ctx, selectCorrected, identities, lines, records)
	if err != nil {
		return err
	}
	var number int64
	_, err = pgx.ForEachRow(rows, []any{&number}, func() error {
		applied[number-1] = applied[number-1] || tried[number-1]
		return nil
	})
	return err
}

func correct(ctx context.Context, tx pgx.Tx, corrections []Correction) ([]bool, *stats.Snapshot, error) {
	applied := make([]bool, len(corrections))
	standing, err := lockStanding(ctx, tx, corrections)
	if err != nil || len(standing) == 0 {
		return applied, nil, err
	}
	n := len(standing)
	ids, numbers, lines, records := make([]int32, n), make([]int64, n), make([]int64, n), make([][]byte, n)
	var batches []claimed
	for i, r := range standing {
		c := &corrections[r.number-1]
		applied[r.number-1] = true
		ids[i], numbers[i], lines[i], records[i] = r.sourceID, r.batch, c.Line, c.Record
		if len(batches) == 0 || batches[len(batches)-1].sourceID != r.sourceID {
			batches = append(batches, claimed{&Batch{Source: Source{Identity: c.Identity, Name: r.name}}, r.sourceID, false})
		}
		b := batches[len(batches)-1].Batch
		row := c.Row
		row.Line = c.Line
		b.Rows = pgcopy.AppendRow(b.Rows, &row)
		b.Tally.Add(&row)
	}
	tag, err := tx.Exec(ctx, resolveRejects, ids, numbers, lines, records)
	if err != nil {
		return nil, nil, err
	}
	if tag.RowsAffected() != int64(n) {
		return nil, nil, &countError{table: "corrections", want: int64(n), have: tag.RowsAffected()}
	}
	if err := copyRows(ctx, tx, batches); err != nil {
		return nil, nil, err
	}
	snapshot, err := countCorrected(ctx, tx, batches)
	return applied, snapshot, err
}

// standing is a reject that is there and locked.
type standing struct {
	number   int64 // of its correction, from 1
	sourceID int32
	batch    int64
	name     string
}

func lockStanding(ctx context.Context, tx pgx.Tx, corrections []Correction) ([]standing, error) {
	identities, lines := make([]string, len(corrections)), make([]int64, len(corrections))
	for i, c := range corrections {
		identities[i], lines[i] = c.Identity, c.Line
	}
	rows, err := tx.Query(ctx, lockRejects, identities, lines)
	if err != nil {
		return nil, err
	}
	var list []standing
	type place struct {
		sourceID    int32
		batch, line int64
	}
	seen := make(map[place]bool)
	var r standing
	_, err = pgx.ForEachRow(rows, []any{&r.number, &r.sourceID, &r.batch, &r.name}, func() error {
		// Of two corrections of one line the first counts.
		if at := (place{r.sourceID, r.batch, lines[r.number-1]}); !seen[at] {
			seen[at] = true
			list = append(list, r)
		}
		return nil
	})
	return list, err
}

func countCorrected(ctx context.Context, tx pgx.Tx, batches []claimed) (*stats.Snapshot, error) {
	ids, counts := make([]int32, len(batches)), make([]int64, len(batches))
	for i, b := range batches {
		ids[i], counts[i] = b.sourceID, b.Tally.Rows
	}
	_, _, parts := sum(batches)
	summary := tally.Summarize(parts)
	snapshot, err := addToStats(ctx, tx, summary, -summary.Total.Rows, 0, &batches[len(batches)-1].Source.Name)
	if err != nil {
		return nil, err
	}
	tag, err := tx.Exec(ctx, moveToRows, ids, counts)
	if err == nil && tag.RowsAffected() != int64(len(ids)) {
		err = errRetired
	}
	return snapshot, err
}
