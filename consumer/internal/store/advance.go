package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/streamgauge/streamgauge/consumer/internal/tally"
	"github.com/streamgauge/streamgauge/shared/stats"
)

// lockStats comes before anything reads the statistics as they are: from here to
// the commit no other transaction changes them, those by source and by day
// included.
const lockStats = `SELECT buckets FROM stats WHERE metric = 'price' FOR UPDATE`

const noteBefore = `
UPDATE sources SET stats_before = (SELECT ` + statsAsJSON + ` FROM stats WHERE metric = 'price')
 WHERE source_id = ANY ($1) AND stats_before IS NULL`

const updateStats = `
UPDATE stats
   SET revision    = revision + 1,
       rows        = rows + $1,
       count       = count + $2,
       bucketed    = bucketed + $2,
       grouped     = grouped + $1,
       rejected    = rejected + $3,
       dead        = dead + $4,
       sum         = sum + $5::numeric,
       sum_squares = sum_squares + $6::numeric,
       min         = least(min, $7::numeric),
       max         = greatest(max, $8::numeric),
       first       = least(first, $9),
       last        = greatest(last, $10),
       source      = coalesce($11, source),
       buckets     = $12,
       updated_at  = clock_timestamp()
 WHERE metric = 'price'
RETURNING ` + snapshotColumns

const updateSources = `
UPDATE sources
   SET done         = done + new.batches,
       rows         = sources.rows + new.rows,
       rejected     = sources.rejected + new.rejected,
       completed_at = CASE WHEN done + new.batches = sources.batches THEN clock_timestamp() END,
       stats_after  = CASE WHEN done + new.batches = sources.batches
                           THEN (SELECT ` + statsAsJSON + ` FROM stats WHERE metric = 'price') END
  FROM unnest($1::integer[], $2::bigint[], $3::bigint[], $4::bigint[]) AS new (source_id, batches, rows, rejected)
 WHERE sources.source_id = new.source_id AND sources.retired_at IS NULL
RETURNING sources.source_id, completed_at IS NOT NULL`

// statsAsJSON is the statistics as loads keep them: before and after.
const statsAsJSON = `jsonb_build_object('revision', revision, 'rows', rows, 'count', count,
	'mean', mean, 'min', min, 'max', max, 'rejected', rejected)`

// progress is what a transaction adds to one source.
type progress struct {
	source                  Source
	sourceID                int32
	batches, rows, rejected int64
	first                   bool
}

// advance brings the statistics and the sources up to date, in that order, and
// returns the statistics and the sources this completed.
func advance(ctx context.Context, tx pgx.Tx, batches []claimed, dead int) (*stats.Snapshot, []Source, error) {
	rejected, sources, parts := sum(batches)
	summary := tally.Summarize(parts)
	var name *string
	if len(sources) > 0 {
		name = &sources[len(sources)-1].source.Name
	}
	beginning := sourceIDs(sources, func(p progress) bool { return p.first })
	change, err := prepare(ctx, tx, summary, beginning)
	if err != nil {
		return nil, nil, fmt.Errorf("lock the statistics: %w", err)
	}

	var pipeline pgx.Batch
	var snapshot *stats.Snapshot
	change.queue(&pipeline, rejected, int64(dead), name, &snapshot)
	var completed []Source
	if len(sources) > 0 {
		n := len(sources)
		done, rows, rejects := make([]int64, n), make([]int64, n), make([]int64, n)
		for i, p := range sources {
			done[i], rows[i], rejects[i] = p.batches, p.rows, p.rejected
		}
		all := sourceIDs(sources, func(progress) bool { return true })
		pipeline.Queue(updateSources, all, done, rows, rejects).Query(func(rows pgx.Rows) error {
			var err error
			completed, err = scanCompleted(rows, sources)
			return err
		})
	}
	if err := tx.SendBatch(ctx, &pipeline).Close(); err != nil {
		return nil, nil, fmt.Errorf("update the statistics: %w", err)
	}
	return snapshot, completed, nil
}

// sum adds the batches up for each source, and gathers what their rows were
// noted in, both in the order of the sources' ids.
func sum(batches []claimed) (rejected int64, sources []progress, parts []tally.Part) {
	byID := make(map[int32]int)
	for _, b := range batches {
		rejected += int64(len(b.Rejects))
		at, known := byID[b.sourceID]
		if !known {
			at = len(sources)
			byID[b.sourceID] = at
			sources = append(sources, progress{source: b.Source, sourceID: b.sourceID, first: b.first})
			parts = append(parts, tally.Part{SourceID: b.sourceID})
		}
		p := &sources[at]
		p.batches++
		p.rows += b.Tally.Rows
		p.rejected += int64(len(b.Rejects))
		parts[at].Sheets = append(parts[at].Sheets, &b.Tally)
	}
	slices.SortFunc(sources, func(a, b progress) int { return cmp.Compare(a.sourceID, b.sourceID) })
	slices.SortFunc(parts, func(a, b tally.Part) int { return cmp.Compare(a.SourceID, b.SourceID) })
	return rejected, sources, parts
}

func sourceIDs(sources []progress, which func(progress) bool) []int32 {
	var ids []int32
	for _, p := range sources {
		if which(p) {
			ids = append(ids, p.sourceID)
		}
	}
	return ids
}

func scanCompleted(rows pgx.Rows, sources []progress) ([]Source, error) {
	var completed []Source
	var id int32
	var done bool
	updated := 0
	_, err := pgx.ForEachRow(rows, []any{&id, &done}, func() error {
		updated++
		if !done {
			return nil
		}
		at := slices.IndexFunc(sources, func(p progress) bool { return p.sourceID == id })
		completed = append(completed, sources[at].source)
		return nil
	})
	if err == nil && updated != len(sources) {
		// Sources are never deleted.
		err = errRetired
	}
	return completed, err
}
