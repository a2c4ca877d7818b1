package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/streamgauge/streamgauge/shared/wire"
)

// minPrefix is how much of an id stands for the whole, at least, in characters.
const minPrefix = 8

// What is loaded comes before what was taken back.
const selectMeant = `SELECT ` + loadColumns + ` FROM sources
 WHERE identity = $1 OR name = $1 OR (length($1) >= $2 AND starts_with(identity, $1))
 ORDER BY identity = $1 DESC, retired_at IS NOT NULL, source_id DESC
 LIMIT $3`

// Find returns the load that given stands for: its id, the beginning of its id,
// or its name where no other load has that. The error is an *UnknownSourceError
// or an *AmbiguousSourceError.
func (s *Store) Find(ctx context.Context, given string) (*wire.Load, error) {
	_, load, err := find(ctx, s.pool, given)
	return load, err
}

func find(ctx context.Context, q queryer, given string) (int32, *wire.Load, error) {
	rows, err := q.Query(ctx, selectMeant, strings.ToValidUTF8(given, "\uFFFD"), minPrefix, wire.MaxNamed)
	if err != nil {
		return 0, nil, fmt.Errorf("look the load up: %w", err)
	}
	type candidate struct {
		id   int32
		load wire.Load
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c candidate, err error) {
		c.id, c.load, err = scanLoad(row)
		return c, err
	})
	switch {
	case err != nil:
		return 0, nil, fmt.Errorf("look the load up: %w", err)
	case len(found) == 0:
		return 0, nil, &UnknownSourceError{Given: given}
	case found[0].load.Retired:
		return 0, nil, &UnknownSourceError{Given: given, Retired: true}
	case len(found) == 1 || found[1].load.Retired || found[0].load.Source == given:
		return found[0].id, &found[0].load, nil
	}
	var identities []string
	for _, c := range found {
		if !c.load.Retired {
			identities = append(identities, c.load.Source)
		}
	}
	return 0, nil, &AmbiguousSourceError{Given: given, Identities: identities}
}
