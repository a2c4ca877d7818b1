// Package migrations holds the database's schema and brings a database up to it.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"slices"

	"github.com/pressly/goose/v3"
)

//go:embed sql/*.sql
var files embed.FS

const (
	// table is where the applied versions stand. It is not goose's default, so
	// that a database shared with another program keeps the two apart.
	table = "streamgauge_migrations"
	// lockID is the key of the advisory lock: any number, the same for ever.
	lockID = 0x73677570
)

// Version is one migration and whether the database has it.
type Version struct {
	Number  int64
	Name    string
	Applied bool
}

// Up applies the migrations that the database lacks and returns how many those
// were. Where Check finds nothing to do it takes no lock. Processes that call
// it at the same time wait for each other on an advisory lock, and only one
// applies them; each migration is a transaction of its own. A database newer
// than this program is a *NewerError.
func Up(ctx context.Context, db *sql.DB, logger *slog.Logger) (int, error) {
	missing, err := Check(ctx, db)
	if err != nil || len(missing) == 0 {
		return 0, err
	}
	unlock, err := lock(ctx, db)
	if err != nil {
		return 0, err
	}
	defer unlock()
	provider, err := newProvider(db, logger)
	if err != nil {
		return 0, err
	}
	results, err := provider.Up(ctx)
	if err != nil {
		return len(results), fmt.Errorf("apply migrations: %w", err)
	}
	return len(results), nil
}

// Check returns the migrations that the database lacks, ascending. It changes
// nothing. A database newer than this program is a *NewerError.
func Check(ctx context.Context, db *sql.DB) ([]Version, error) {
	versions, err := Status(ctx, db)
	if err != nil {
		return nil, err
	}
	var missing []Version
	for _, v := range versions {
		if !v.Applied {
			missing = append(missing, v)
		}
	}
	return missing, nil
}

// Status returns every migration this program has, ascending. It changes
// nothing. A database newer than this program is a *NewerError.
func Status(ctx context.Context, db *sql.DB) ([]Version, error) {
	provider, err := newProvider(db, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	applied, err := appliedVersions(ctx, db)
	if err != nil {
		return nil, err
	}
	var versions []Version
	for _, source := range provider.ListSources() {
		versions = append(versions, Version{source.Version, source.Path, applied[source.Version]})
		delete(applied, source.Version)
	}
	if len(applied) > 0 {
		return nil, &NewerError{Version: slices.Max(slices.Collect(maps.Keys(applied)))}
	}
	return versions, nil
}

// appliedVersions asks by itself, since goose would create its table.
func appliedVersions(ctx context.Context, db *sql.DB) (map[int64]bool, error) {
	var exists bool
	if err := db.QueryRowContext(ctx, "SELECT to_regclass($1) IS NOT NULL", table).Scan(&exists); err != nil {
		return nil, fmt.Errorf("look for the schema: %w", err)
	}
	if !exists {
		return nil, nil
	}
	rows, err := db.QueryContext(ctx, "SELECT version_id FROM "+table+" WHERE is_applied AND version_id > 0")
	if err != nil {
		return nil, fmt.Errorf("read the applied migrations: %w", err)
	}
	defer rows.Close()
	applied := make(map[int64]bool)
	for rows.Next() {
		var number int64
		if err := rows.Scan(&number); err != nil {
			return nil, fmt.Errorf("read the applied migrations: %w", err)
		}
		applied[number] = true
	}
	return applied, rows.Err()
}

func newProvider(db *sql.DB, logger *slog.Logger) (*goose.Provider, error) {
	sqlFiles, err := fs.Sub(files, "sql")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, db, sqlFiles,
		goose.WithTableName(table), goose.WithSlog(logger), goose.WithDisableGlobalRegistry(true))
}

// lock waits for the advisory lock on a session of its own, where PostgreSQL
// queues it: goose's own lock asks again only once a second.
func lock(ctx context.Context, db *sql.DB) (unlock func(), err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("lock the schema: %w", err)
	}
	// Whoever applies migrations may take longer than a session's lock_timeout.
	if _, err := conn.ExecContext(ctx, "SET lock_timeout = 0"); err != nil {
		return nil, errors.Join(fmt.Errorf("lock the schema: %w", err), conn.Close())
	}
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", lockID); err != nil {
		return nil, errors.Join(fmt.Errorf("lock the schema: %w", err), conn.Close())
	}
	return func() {
		// Ending the session frees the lock too, so a failure here harms nobody.
		ctx := context.WithoutCancel(ctx)
		_, err := conn.ExecContext(ctx, "SELECT pg_advisory_unlock($1)", lockID)
		if err == nil {
			_, err = conn.ExecContext(ctx, "RESET lock_timeout")
		}
		if err != nil {
			_ = conn.Raw(func(any) error { return errLockSession })
		}
		_ = conn.Close()
	}, nil
}
