package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	prefix      = "streamgauge_demo_"
	dropTimeout = 10 * time.Second
)

// scratch is a database of the demo's own on a server of the user's, whose
// databases stay untouched.
//
// A connection to it is held for as long as the demo lives: PostgreSQL drops no
// database that is in use, so what can be dropped was left by a killed demo.
type scratch struct {
	server string // URL of the database that the user gave
	name   string
	url    string
	hold   *pgx.Conn
}

func newScratch(ctx context.Context, server string) (*scratch, error) {
	s := &scratch{server: server, name: prefix + strings.ToLower(rand.Text()[:10])}
	var err error
	if s.url, err = withDatabase(server, s.name); err != nil {
		return nil, err
	}
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	if err := dropDead(ctx, conn); err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+s.name); err != nil {
		return nil, fmt.Errorf("a database for the demo: %w: let that user create databases, or unset DATABASE_URL to have a private server", err)
	}
	if s.hold, err = pgx.Connect(ctx, s.url); err != nil {
		return nil, errors.Join(err, s.drop())
	}
	return s, nil
}

// dropDead drops the databases of killed demos.
func dropDead(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, "SELECT quote_ident(datname) FROM pg_database WHERE starts_with(datname, $1)", prefix)
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range names {
		// In use by a living demo, dropped by another one, or another user's.
		_, _ = conn.Exec(ctx, "DROP DATABASE "+name)
	}
	return nil
}

// drop removes the database. It works after an interruption too.
func (s *scratch) drop() error {
	ctx, cancel := context.WithTimeout(context.Background(), dropTimeout)
	defer cancel()
	if s.hold != nil {
		_ = s.hold.Close(ctx)
	}
	conn, err := pgx.Connect(ctx, s.server)
	if err != nil {
		return fmt.Errorf("drop the demo's database %s: %w", s.name, err)
	}
	defer conn.Close(ctx)
	// FORCE: a session that was just closed may take a moment to be gone.
	if _, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+s.name+" WITH (FORCE)"); err != nil {
		return fmt.Errorf("drop the demo's database %s: %w", s.name, err)
	}
	return nil
}

// withDatabase is a connection string, in either of libpq's forms, with
// another database.
func withDatabase(dsn, name string) (string, error) {
	if !strings.HasPrefix(dsn, "postgres://") && !strings.HasPrefix(dsn, "postgresql://") {
		return dsn + " dbname=" + name, nil // of two, the last counts
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return "", fmt.Errorf("DATABASE_URL: %w", err)
	}
	u.Path = "/" + name
	query := u.Query()
	query.Del("dbname") // either would count for more than the path
	query.Del("database")
	u.RawQuery = query.Encode()
	return u.String(), nil
}
