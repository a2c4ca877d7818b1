package harness

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// createDatabase makes the test's database, empty: the consumer migrates it,
// as it does for its users. (A migrated template would give all tests the same
// database id, and saves little.)
func (e *Env) createDatabase(ctx context.Context, t testing.TB) {
	t.Helper()
	s := e.session
	s.mu.Lock()
	s.databases++
	e.Database = databaseName(t.Name(), s.databases)
	s.mu.Unlock()

	name := pgx.Identifier{e.Database}.Sanitize()
	if _, err := s.admin.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		t.Fatalf("create the test's database: %v", err)
	}
	e.DatabaseURL = databaseURL(s.postgres, e.Database)
	pool, err := pgxpool.New(context.Background(), e.DatabaseURL)
	if err != nil {
		t.Fatalf("open the test's database: %v", err)
	}
	e.DB = pool
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), setupTime)
		defer cancel()
		if t.Failed() {
			e.reportDatabase(ctx, t)
			pool.Close()
			return
		}
		pool.Close()
		if _, err := s.admin.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
}

// reportDatabase logs where a failed test's database is and how many rows its
// tables hold.
func (e *Env) reportDatabase(ctx context.Context, t testing.TB) {
	t.Helper()
	if keepServers() {
		t.Logf("database kept: %s", e.DatabaseURL)
	} else {
		t.Logf("database %s (KEEP_SERVERS=1 keeps it after the run)", e.Database)
	}
	counts, err := e.rowCounts(ctx)
	if err != nil {
		t.Logf("rows in its tables: %v", err)
		return
	}
	t.Logf("rows in its tables: %s", counts)
}

func (e *Env) rowCounts(ctx context.Context) (string, error) {
	rows, err := e.DB.Query(ctx, `
		SELECT table_schema, table_name FROM information_schema.tables
		WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')
		ORDER BY 1, 2`)
	if err != nil {
		return "", err
	}
	tables, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (pgx.Identifier, error) {
		var schema, table string
		err := row.Scan(&schema, &table)
		return pgx.Identifier{schema, table}, err
	})
	if err != nil {
		return "", err
	}
	if len(tables) == 0 {
		return "no tables", nil
	}
	counts := make([]string, len(tables))
	for i, table := range tables {
		var count int64
		if err := e.DB.QueryRow(ctx, "SELECT count(*) FROM "+table.Sanitize()).Scan(&count); err != nil {
			return "", err
		}
		counts[i] = fmt.Sprintf("%s %d", table[1], count)
	}
	return strings.Join(counts, ", "), nil
}

// Int returns the one integer that a query selects.
func (e *Env) Int(t testing.TB, query string, args ...any) int64 {
	t.Helper()
	var value int64
	if err := e.DB.QueryRow(t.Context(), query, args...).Scan(&value); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return value
}

// Rows returns what a query selects, each value as PostgreSQL prints it and
// NULL as "NULL".
func (e *Env) Rows(t testing.TB, query string, args ...any) [][]string {
	t.Helper()
	rows, err := e.DB.Query(t.Context(), query, append([]any{pgx.QueryResultFormats{pgx.TextFormatCode}}, args...)...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) ([]string, error) {
		var values []string
		for _, raw := range row.RawValues() {
			if raw == nil {
				values = append(values, "NULL")
			} else {
				values = append(values, string(raw))
			}
		}
		return values, nil
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return all
}
