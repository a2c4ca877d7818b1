package store

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Sentry asks after PostgreSQL in a session of its own, so that it gets through
// whatever the writers wait for. It is safe for concurrent use.
type Sentry struct {
	store *Store
	pool  *pgxpool.Pool
}

// NewSentry opens no session before the first question. The error is a
// *ConnectError about the address.
func NewSentry(ctx context.Context, address string, store *Store) (*Sentry, error) {
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, addressError(address, err)
	}
	configure(config, 1)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, connectError(config.ConnConfig, err)
	}
	return &Sentry{store: store, pool: pool}, nil
}

// Ping says whether PostgreSQL answers. Its error is one line.
func (s *Sentry) Ping(ctx context.Context) error {
	if err := s.pool.Ping(ctx); err != nil {
		return Remedy(err)
	}
	return nil
}

// FreeLost breaks the connections of transactions that wait for an answer while
// PostgreSQL waits for them.
func (s *Sentry) FreeLost(ctx context.Context) error { return s.store.freeLost(ctx, s.pool) }

// Pool is what Sentry's session comes from, to be closed.
func (s *Sentry) Pool() *pgxpool.Pool { return s.pool }
