// Package container runs a PostgreSQL server in a Docker container, by the
// docker command, for machines that have no server binaries.
package container

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/streamgauge/streamgauge/sandbox/internal/child"
	"github.com/streamgauge/streamgauge/sandbox/internal/port"
	"github.com/streamgauge/streamgauge/sandbox/internal/rundir"
)

const (
	// Image is the official image that the compose file names too.
	Image = "postgres:17.10-alpine"

	kind  = "container"
	label = "io.github.streamgauge.sandbox" // its value is the run's folder
	host  = "127.0.0.1"
	user  = "postgres"

	startTimeout  = 60 * time.Second // without the image's download
	startInterval = 50 * time.Millisecond
	stopSeconds   = "10"
	stopTimeout   = 30 * time.Second
)

// Config says how a server runs.
type Config struct {
	Image string       // default Image
	Port  int          // on 127.0.0.1; 0 = a free one
	Dir   string       // holds the cluster and its password; "" = a volume that goes with the container
	Log   *slog.Logger // what takes a while, and what is no reason to fail
}

// Server is a running server. It is safe for concurrent use.
type Server struct {
	name     string
	image    string
	dir      *rundir.Dir
	temp     bool
	password string
	port     string
	wait     *child.Process
	once     sync.Once
	err      error
}

// Start runs a container and returns once its server has answered a query.
// First it removes the containers of killed runs. The error is ErrUnavailable
// where there is no Docker, ErrPortTaken where Port has another listener. The context bounds the start only.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	if err := Available(ctx); err != nil {
		return nil, err
	}
	if cfg.Image == "" {
		cfg.Image = Image
	}
	if cfg.Port != 0 {
		// The engine would say so late and in its own words.
		if err := port.Check(host, cfg.Port); err != nil {
			return nil, fmt.Errorf("PostgreSQL port %w", err)
		}
	}
	if err := reap(ctx); err != nil {
		cfg.Log.Warn("could not remove what a killed run left", "error", err)
	}
	s := &Server{
		name:  "streamgauge-postgres-" + strings.ToLower(rand.Text()[:10]),
		image: cfg.Image,
		temp:  cfg.Dir == "",
	}
	var err error
	if s.dir, err = rundir.Open(kind, cfg.Dir); err != nil {
		return nil, fmt.Errorf("PostgreSQL folder: %w", err)
	}
	if err := s.run(ctx, cfg); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Made says whether a container's cluster is in the folder, a Config's Dir.
func Made(dir string) bool {
	entries, err := os.ReadDir(filepath.Join(dir, dataDir))
	return err == nil && len(entries) > 0
}

func (s *Server) run(ctx context.Context, cfg Config) error {
	if err := removeNamed(ctx, s.dir); err != nil {
		return err
	}
	if err := s.pull(ctx, cfg.Log); err != nil {
		return err
	}
	if err := s.secret(); err != nil {
		return err
	}
	if err := os.WriteFile(s.dir.Path(nameFile), []byte(s.name), 0o600); err != nil {
		return err
	}
	// The password travels in the environment: arguments are for all to see.
	args := []string{
		"run", "--detach", "--name", s.name, "--label", label + "=" + s.dir.Path(),
		"--publish", net.JoinHostPort(host, portText(cfg.Port)) + ":5432",
		"--env", "POSTGRES_PASSWORD", "--env", "PGDATA=" + dataFolder,
		"--env", "POSTGRES_INITDB_ARGS=--locale=C --encoding=UTF8 --auth-host=scram-sha-256",
	}
	if !s.temp {
		data := s.dir.Path(dataDir)
		if err := os.MkdirAll(data, 0o755); err != nil {
			return err
		}
		// The server's user inside the container is no user of this machine's;
		// like a temporary folder, this one lets everyone make their own in it.
		if err := os.Chmod(data, 0o777|fs.ModeSticky); err != nil {
			return err
		}
		args = append(args, "--volume", data+":"+volume)
	}
	// An interruption waits for the answer: a command that is broken off may
	// still make the container, after it was looked for to be removed.
	create, cancel := context.WithTimeout(context.WithoutCancel(ctx), startTimeout)
	defer cancel()
	if _, err := docker(create, []string{"POSTGRES_PASSWORD=" + s.password}, append(args, s.image)...); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	mapped, err := docker(ctx, nil, "port", s.name, "5432/tcp")
	if err != nil {
		return s.failure(ctx, err)
	}
	first, _, _ := strings.Cut(mapped, "\n")
	if _, s.port, err = net.SplitHostPort(strings.TrimSpace(first)); err != nil {
		return fmt.Errorf("docker port said %q", mapped)
	}
	if s.wait, err = child.Start(exec.Command("docker", "wait", s.name), syscall.SIGTERM); err != nil {
		return err
	}
	return s.ready(ctx)
}

const (
	nameFile   = "container" // in the run's folder, with the container's name
	volume     = "/var/lib/postgresql/data"
	dataFolder = volume + "/pgdata"
	dataDir    = "docker" // of this machine, for the volume
)

// portText is the host's part of --publish, where nothing means a free port.
func portText(port int) string {
	if port == 0 {
		return ""
	}
	return strconv.Itoa(port)
}

func (s *Server) pull(ctx context.Context, log *slog.Logger) error {
	if _, err := docker(ctx, nil, "image", "inspect", "--format", "{{.Id}}", s.image); err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	log.Info("downloading the PostgreSQL image, once", "image", s.image)
	if _, err := docker(ctx, nil, "pull", "--quiet", s.image); err != nil {
		return fmt.Errorf("image %s: %w: set POSTGRES_IMAGE to one that can be had, install the server's binaries, or set DATABASE_URL", s.image, err)
	}
	return nil
}

// secret makes the password, or reads that of a kept cluster.
func (s *Server) secret() error {
	file := s.dir.Path("password")
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		b = []byte(rand.Text() + "\n")
		err = os.WriteFile(file, b, 0o600)
	}
	s.password = strings.TrimSpace(string(b))
	return err
}

// ready waits until a query is answered. While the image makes its cluster it
// listens inside the container only, so an answer here is the real server's.
func (s *Server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout,
		fmt.Errorf("PostgreSQL in Docker was not ready after %s", startTimeout))
	defer cancel()
	tick := time.NewTicker(startInterval)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.URL())
		if err == nil {
			var one int
			err = errors.Join(conn.QueryRow(ctx, "SELECT 1").Scan(&one), conn.Close(ctx))
		}
		if err == nil {
			return nil
		}
		select {
		case <-s.wait.Done():
			return s.Err()
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), context.Canceled) {
				return context.Canceled
			}
			return s.failure(context.WithoutCancel(ctx), fmt.Errorf("%w: %w", context.Cause(ctx), err))
		case <-tick.C:
		}
	}
}

// URL is the connection string of the superuser, with the password.
func (s *Server) URL() string { return s.url().String() }

// RedactedURL is URL with the password masked and without parameters, fit for
// screens and logs.
func (s *Server) RedactedURL() string {
	u := s.url()
	u.RawQuery = ""
	return u.Redacted()
}

func (s *Server) url() *url.URL {
	return &url.URL{
		Scheme: "postgres",
		User:   url.UserPassword(user, s.password),
		Host:   net.JoinHostPort(host, s.port),
		Path:   user, // the superuser's own database
		// There is no certificate, and PGSSLMODE must not ask for one.
		RawQuery: "sslmode=disable",
	}
}

// Name and Image are the container's.
func (s *Server) Name() string { return s.name }

// Image is what the container was made from.
func (s *Server) Image() string { return s.image }

// Done is closed when the container has ended.
func (s *Server) Done() <-chan struct{} { return s.wait.Done() }

// Close ends the server, and removes the container and, unless it is kept, the
// data. Later calls return what the first did.
func (s *Server) Close() error {
	s.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		if !s.temp {
			// A shutdown in order; a container that never ran is no error.
			_, _ = docker(ctx, nil, "stop", "-t", stopSeconds, s.name)
		}
		s.err = removeNamed(ctx, s.dir)
		if s.wait != nil {
			s.err = errors.Join(s.err, s.wait.Stop(stopTimeout, syscall.SIGTERM))
		}
		if s.temp && s.err == nil {
			s.err = s.dir.Remove()
		} else {
			s.err = errors.Join(s.err, s.dir.Release())
		}
	})
	return s.err
}
