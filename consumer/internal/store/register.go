package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/streamgauge/streamgauge/shared/wire"
)

// source is a row of the table sources, as far as a transaction needs it.
type source struct {
	id      int32
	plan    wire.Plan
	batches int64
	// begun says that a batch of it has been committed before.
	begun bool
	// retired says that it was unloaded.
	retired bool
}

// A name that is claimed stands for one content only: a source that claims one
// which other content has is not inserted, whether it finds that content
// committed or waits for it on the unique index. WHERE spares a number of the
// identity column each time a known source comes by.
const insertSources = `
INSERT INTO sources (identity, name, claims_name, size, plan, batches)
SELECT identity, name, claims_name, size, plan, batches
  FROM unnest($1::text[], $2::text[], $3::boolean[], $4::bigint[], $5::jsonb[], $6::bigint[])
       AS new (identity, name, claims_name, size, plan, batches)
 WHERE NOT EXISTS (SELECT FROM sources old WHERE old.identity = new.identity)
   AND NOT (new.claims_name AND EXISTS (SELECT FROM sources old WHERE old.name = new.name AND old.retired_at IS NULL))
 ORDER BY identity
    ON CONFLICT DO NOTHING`

const selectSources = `
SELECT identity, source_id, plan, batches, stats_before IS NOT NULL, retired_at IS NOT NULL
  FROM sources WHERE identity = ANY ($1)`

// register inserts the sources that are new and returns those that stand, by
// identity: a source is missing from the result when its name is refused. The
// second statement sees what concurrent transactions inserted in between.
func register(ctx context.Context, tx pgx.Tx, batches []*Batch) (map[string]source, error) {
	known := make(map[string]source)
	if len(batches) == 0 {
		return known, nil
	}
	first := make(map[string]*Source)
	sameName := make(map[string]bool)
	var identities []string
	for _, b := range batches {
		if first[b.Source.Identity] == nil {
			first[b.Source.Identity] = &b.Source
			identities = append(identities, b.Source.Identity)
		}
		// One batch that was allowed to stand beside other content is enough: it
		// would be stored by itself, and its source with it.
		sameName[b.Source.Identity] = sameName[b.Source.Identity] || b.Source.SameName
	}
	slices.Sort(identities)
	n := len(identities)
	names, claims, sizes := make([]string, n), make([]bool, n), make([]int64, n)
	plans, totals := make([]string, n), make([]int64, n)
	for i, identity := range identities {
		src := first[identity]
		plan, err := json.Marshal(src.Plan)
		if err != nil {
			return nil, fmt.Errorf("encode plan: %w", err)
		}
		names[i], claims[i], sizes[i] = src.Name, !sameName[identity], src.Size
		plans[i], totals[i] = string(plan), src.Batches
	}

	var pipeline pgx.Batch
	pipeline.Queue(insertSources, identities, names, claims, sizes, plans, totals)
	pipeline.Queue(selectSources, identities).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var identity string
			var plan []byte
			var src source
			if err := rows.Scan(&identity, &src.id, &plan, &src.batches, &src.begun, &src.retired); err != nil {
				return err
			}
			var err error
			// A plan this program can't read is not that of any batch it decoded.
			if src.plan, err = wire.ParsePlan(plan); err != nil {
				src.plan = wire.Plan{}
			}
			known[identity] = src
		}
		return rows.Err()
	})
	if err := tx.SendBatch(ctx, &pipeline).Close(); err != nil {
		return nil, fmt.Errorf("register sources: %w", err)
	}
	return known, nil
}
