package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// claimed is a batch whose key this transaction has put into the ledger.
type claimed struct {
	*Batch
	sourceID int32
	// first says that its source had no batch committed when it was read.
	first bool
}

// The keys are inserted in order, so that two transactions with the same keys
// wait for each other instead of deadlocking.
const insertBatches = `
INSERT INTO batches (source_id, batch, first_line, records)
SELECT source_id, batch, first_line, records
  FROM unnest($1::integer[], $2::bigint[], $3::bigint[], $4::integer[])
       AS new (source_id, batch, first_line, records)
 ORDER BY source_id, batch
    ON CONFLICT DO NOTHING
RETURNING source_id, batch`

type key struct {
	sourceID int32
	batch    int64
}

// claim puts the batches into the ledger and returns those that were not there,
// in the order of their keys. It sets the outcome of every batch. Only the
// insert itself decides: asking first would race with another consumer.
func claim(ctx context.Context, tx pgx.Tx, batches []*Batch, sources map[string]source, outcomes []Outcome) ([]claimed, error) {
	candidates := make(map[key]int, len(batches))
	keys := make([]key, 0, len(batches))
	for i, b := range batches {
		src, stands := sources[b.Source.Identity]
		switch {
		case !stands:
			outcomes[i] = Refused
			continue
		case src.retired:
			outcomes[i] = Retired
			continue
		case src.plan != b.Source.Plan || src.batches != b.Source.Batches:
			outcomes[i] = Superseded
			continue
		}
		// Redelivered within the merge, or known to the ledger: both until the
		// insert says otherwise.
		outcomes[i] = AlreadyStored
		k := key{src.id, b.Number}
		if _, twice := candidates[k]; !twice {
			candidates[k] = i
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	slices.SortFunc(keys, func(a, b key) int {
		return cmp.Or(cmp.Compare(a.sourceID, b.sourceID), cmp.Compare(a.batch, b.batch))
	})
	returned, err := insertKeys(ctx, tx, keys, candidates, batches)
	if err != nil {
		return nil, fmt.Errorf("write the ledger: %w", err)
	}
	fresh := make([]claimed, 0, len(returned))
	for _, k := range keys {
		if i := candidates[k]; returned[k] {
			outcomes[i] = Stored
			b := batches[i]
			fresh = append(fresh, claimed{b, k.sourceID, !sources[b.Source.Identity].begun})
		}
	}
	return fresh, nil
}

func insertKeys(ctx context.Context, tx pgx.Tx, keys []key, candidates map[key]int, batches []*Batch) (map[key]bool, error) {
	n := len(keys)
	sourceIDs, numbers := make([]int32, n), make([]int64, n)
	firstLines, records := make([]int64, n), make([]int32, n)
	for i, k := range keys {
		b := batches[candidates[k]]
		sourceIDs[i], numbers[i] = k.sourceID, k.batch
		firstLines[i], records[i] = b.FirstLine, int32(b.Records)
	}
	rows, err := tx.Query(ctx, insertBatches, sourceIDs, numbers, firstLines, records)
	if err != nil {
		return nil, err
	}
	returned := make(map[key]bool, n)
	var k key
	_, err = pgx.ForEachRow(rows, []any{&k.sourceID, &k.batch}, func() error {
		returned[k] = true
		return nil
	})
	return returned, err
}
