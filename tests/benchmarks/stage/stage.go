// Package stage sets up what each measured run stands on: a private PostgreSQL
// with an empty database of the product's schema, and a NATS server of its own.
package stage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/streamgauge/streamgauge/sandbox/postgres"
	"github.com/streamgauge/streamgauge/tests/benchmarks/proc"
	"github.com/streamgauge/streamgauge/tests/images/standin"
)

// template is the database that the others are copies of.
const template = "empty"

// Config of Open.
type Config struct {
	// Root is the checkout, Binaries the folder with the built programs.
	Root, Binaries string
	// NATS is a nats-server; "" builds the one that the checkout requires.
	NATS string
	// Settings are PostgreSQL's, besides its defaults; the same for all.
	Settings map[string]string
}

// Stage is safe for use by one run after the other.
type Stage struct {
	Postgres *postgres.Server
	// Producer, Consumer and NATS are programs; they are this run's own copies,
	// so that building anew in between changes nothing.
	Producer, Consumer, NATS string
	// Dir is a temporary folder.
	Dir string

	sockets string
	admin   *pgx.Conn
	made    int
}

// Open starts PostgreSQL and makes the template. Close removes everything.
func Open(ctx context.Context, cfg Config) (*Stage, error) {
	s := new(Stage)
	if err := s.open(ctx, cfg); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Stage) open(ctx context.Context, cfg Config) (err error) {
	if s.Dir, err = os.MkdirTemp("", "streamgauge-bench-"); err != nil {
		return err
	}
	if cfg.NATS == "" {
		if cfg.NATS, err = standin.NATSServer(ctx, cfg.Root, runtime.GOOS, runtime.GOARCH); err != nil {
			return fmt.Errorf("build nats-server: %w", err)
		}
	}
	for _, program := range []struct {
		name, from string
		into       *string
	}{
		{"producer", filepath.Join(cfg.Binaries, "producer"), &s.Producer},
		{"consumer", filepath.Join(cfg.Binaries, "consumer"), &s.Consumer},
		{"nats-server", cfg.NATS, &s.NATS},
	} {
		*program.into = filepath.Join(s.Dir, program.name)
		if err := copyProgram(program.from, *program.into); err != nil {
			return err
		}
	}
	if s.sockets, err = socketFolder(s.Dir); err != nil {
		return err
	}
	settings := map[string]string{"unix_socket_directories": s.sockets}
	maps.Copy(settings, cfg.Settings)
	if s.Postgres, err = postgres.Start(ctx, postgres.Config{Settings: settings}); err != nil {
		return err
	}
	if s.admin, err = pgx.Connect(ctx, s.address("postgres")); err != nil {
		return err
	}
	if err := s.exec(ctx, "CREATE DATABASE "+template); err != nil {
		return err
	}
	_, err = proc.Run("consumer migrate up", s.Consumer, []string{"DATABASE_URL=" + s.address(template)}, "migrate", "up")
	return err
}

// Close ends the servers and removes their folders.
func (s *Stage) Close() error {
	var err error
	if s.admin != nil {
		err = s.admin.Close(context.Background())
	}
	if s.Postgres != nil {
		err = errors.Join(err, s.Postgres.Close())
	}
	if s.Dir != "" {
		err = errors.Join(err, os.RemoveAll(s.Dir))
	}
	return err
}

// Setting returns a PostgreSQL setting as SHOW prints it.
func (s *Stage) Setting(ctx context.Context, name string) (string, error) {
	var value string
	err := s.admin.QueryRow(ctx, "SELECT current_setting($1)", name).Scan(&value)
	return value, err
}

// Psql returns the path of psql, "" where there is none.
func (s *Stage) Psql() string {
	for _, dir := range append([]string{s.Postgres.Binaries().Dir}, filepath.SplitList(os.Getenv("PATH"))...) {
		path := filepath.Join(dir, "psql")
		if info, err := os.Stat(path); err == nil && info.Mode()&0o111 != 0 {
			return path
		}
	}
	return ""
}

// Database is an empty database of the product's schema.
type Database struct {
	URL  string
	Conn *pgx.Conn

	stage *Stage
	name  string
}

// Database makes a database. A checkpoint comes after, so that each run begins
// with nothing for PostgreSQL to write and with the same room in its log.
func (s *Stage) Database(ctx context.Context) (*Database, error) {
	s.made++
	d := &Database{stage: s, name: fmt.Sprintf("run_%d", s.made)}
	d.URL = s.address(d.name)
	if err := s.exec(ctx, "CREATE DATABASE "+d.name+" TEMPLATE "+template); err != nil {
		return nil, err
	}
	if err := s.exec(ctx, "CHECKPOINT"); err != nil {
		return nil, err
	}
	var err error
	d.Conn, err = pgx.Connect(ctx, d.URL)
	return d, err
}

// Close drops the database, sessions and all.
func (d *Database) Close() error {
	ctx := context.Background()
	return errors.Join(d.Conn.Close(ctx), d.stage.exec(ctx, "DROP DATABASE "+d.name+" WITH (FORCE)"))
}

func (s *Stage) exec(ctx context.Context, query string) error {
	if _, err := s.admin.Exec(ctx, query); err != nil {
		return fmt.Errorf("%s: %w", strings.ToLower(query), err)
	}
	return nil
}

// address leads through the server's Unix-domain socket, for everybody: the way
// that libpq goes by itself on one machine.
func (s *Stage) address(database string) string {
	u, err := url.Parse(s.Postgres.URL())
	if err != nil {
		panic(err) // the sandbox has printed it
	}
	query := u.Query()
	query.Set("host", s.sockets)
	query.Set("port", u.Port())
	u.Host, u.Path, u.RawQuery = "", "/"+database, query.Encode()
	return u.String()
}

// socketFolder makes a folder below dir in which also the account that
// PostgreSQL runs under can make a socket.
func socketFolder(dir string) (string, error) {
	if err := os.Chmod(dir, 0o711); err != nil { // it holds no secret
		return "", err
	}
	sockets := filepath.Join(dir, "s")
	if err := os.Mkdir(sockets, 0o777); err != nil {
		return "", err
	}
	return sockets, os.Chmod(sockets, 0o777)
}

func copyProgram(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
