package servers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/streamgauge/streamgauge/sandbox/internal/container"
	"github.com/streamgauge/streamgauge/sandbox/internal/port"
	"github.com/streamgauge/streamgauge/sandbox/postgres"
)

// StandardPostgresPort is the port that clients try by default.
const StandardPostgresPort = 5432

const connectTimeout = 5 * time.Second

// Origin is the way a PostgreSQL was come by.
type Origin string

// The ways, in the order in which they are tried.
const (
	Given    Origin = "DATABASE_URL"
	Binaries Origin = "binaries"
	Docker   Origin = "docker"
)

// Database is a PostgreSQL that answers.
type Database struct {
	URL      string
	Redacted string // URL with the password masked
	Origin   Origin
	About    string // for people: version, where it runs
	Moved    bool   // the standard port was taken

	done  <-chan struct{}
	err   func() error
	close func() error
}

// Done is closed when the server has ended by itself. It is nil, and so never
// closed, for a server that was given.
func (d *Database) Done() <-chan struct{} { return d.done }

// Err says why it ended.
func (d *Database) Err() error { return d.err() }

// startDatabase finds or starts a PostgreSQL. With a folder the data persists
// there, and the way that made it is the one that goes on with it.
func startDatabase(ctx context.Context, cfg Config, dir string, log *slog.Logger) (Database, error) {
	if cfg.DatabaseURL != "" {
		return given(ctx, cfg.DatabaseURL)
	}
	byDocker := dir != "" && container.Made(dir)
	if !byDocker {
		db, err := fromBinaries(ctx, cfg, dir, log)
		switch {
		case !errors.Is(err, postgres.ErrNotFound):
			return db, err
		case dir != "" && postgres.Made(dir):
			return Database{}, fmt.Errorf("%w, which made the data in %s: install them again, or give another folder", err, dir)
		}
		log.Debug("PostgreSQL from this machine's binaries", "error", err)
	}
	db, err := fromDocker(ctx, cfg, dir, log)
	switch {
	case !errors.Is(err, container.ErrUnavailable):
		return db, err
	case byDocker:
		return Database{}, fmt.Errorf("%w, and a container made the data in %s: start Docker, or give another folder", err, dir)
	}
	log.Debug("PostgreSQL in Docker", "error", err)
	return Database{}, ErrNoPostgres
}

func fromBinaries(ctx context.Context, cfg Config, dir string, log *slog.Logger) (Database, error) {
	var s *postgres.Server
	moved, err := onPort(cfg.PostgresPort, StandardPostgresPort, cfg.FreePorts, func(number int) (err error) {
		s, err = postgres.Start(ctx, postgres.Config{Port: number, Dir: dir, Log: log})
		return err
	})
	if errors.Is(err, port.ErrTaken) {
		return Database{}, fmt.Errorf("%w: free it or give another --postgres-port", err)
	}
	if err != nil {
		return Database{}, err
	}
	about := s.Binaries().Version + " from " + s.Binaries().Dir
	if user := s.RunsAs(); user != "" {
		about += ", as user " + user
	}
	return Database{
		URL: s.URL(), Redacted: s.RedactedURL(), Origin: Binaries, About: about, Moved: moved,
		done: s.Done(), err: s.Err, close: s.Close,
	}, nil
}

func fromDocker(ctx context.Context, cfg Config, dir string, log *slog.Logger) (Database, error) {
	var s *container.Server
	moved, err := onPort(cfg.PostgresPort, StandardPostgresPort, cfg.FreePorts, func(number int) (err error) {
		s, err = container.Start(ctx, container.Config{Image: cfg.Image, Port: number, Dir: dir, Log: log})
		return err
	})
	if errors.Is(err, port.ErrTaken) {
		return Database{}, fmt.Errorf("%w: free it or give another --postgres-port", err)
	}
	if err != nil {
		return Database{}, err
	}
	return Database{
		URL: s.URL(), Redacted: s.RedactedURL(), Origin: Docker, Moved: moved,
		About: "in the container " + s.Name() + ", image " + s.Image(),
		done:  s.Done(), err: s.Err, close: s.Close,
	}, nil
}

// given checks that a server answers at the address before anything builds on
// it.
func given(ctx context.Context, dsn string) (Database, error) {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return Database{}, fmt.Errorf("DATABASE_URL: %w", err)
	}
	connect, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := pgx.ConnectConfig(connect, cfg)
	if ctx.Err() != nil {
		return Database{}, ctx.Err()
	}
	if err != nil {
		return Database{}, fmt.Errorf("DATABASE_URL: %w: correct it, or unset it to have a private server", err)
	}
	defer conn.Close(ctx)
	shown := url.URL{
		Scheme: "postgres",
		User:   url.User(cfg.User),
		Host:   net.JoinHostPort(cfg.Host, strconv.Itoa(int(cfg.Port))),
		Path:   cfg.Database,
	}
	return Database{
		URL: dsn, Redacted: shown.String(), Origin: Given,
		About: conn.PgConn().ParameterStatus("server_version") + ", yours by DATABASE_URL",
		close: func() error { return nil },
	}, nil
}
