// Package postgres runs a private PostgreSQL server from the binaries that are
// installed on this machine.
//
// The server listens on 127.0.0.1 only, has no Unix-domain socket, asks for a
// random password (scram-sha-256), and stores text as UTF-8 in the C locale.
// It ends with the process that started it: by Close, on Linux also when the
// process is killed; what a killed run left is found and removed by the next
// Start. Only Unix systems are supported.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"sync"

	"github.com/streamgauge/streamgauge/sandbox/internal/port"
	"github.com/streamgauge/streamgauge/sandbox/internal/rundir"
)

const (
	kind      = "postgres"
	superuser = "postgres"
	database  = "postgres"
	host      = "127.0.0.1"
)

// Config says how a server runs. The zero value is a temporary server of the
// newest version installed, on a free port.
type Config struct {
	Port   int    // 0 = a free one
	Dir    string // holds the cluster, its password and its log; "" = a temporary folder, removed by Close
	BinDir string // folder of the server's binaries; "" = search

	// Settings are server parameters as in postgresql.conf, "fsync": "off" for
	// one. They last for this run and win over the package's own.
	Settings map[string]string

	Log *slog.Logger // troubles that don't keep the server from running; nil = nowhere
}

var parameter = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)

// Validate reports the first setting that can't be used.
func (c Config) Validate() error {
	if c.Port < 0 || c.Port > 65535 {
		return fmt.Errorf("PostgreSQL port %d is not between 0 and 65535", c.Port)
	}
	for name := range c.Settings {
		if !parameter.MatchString(name) {
			return fmt.Errorf("PostgreSQL setting %q is not a parameter name", name)
		}
	}
	return nil
}

// Server is a running server. It is safe for concurrent use.
type Server struct {
	binaries Binaries
	dir      *rundir.Dir
	temp     bool
	user     *account
	password string
	port     int
	proc     *postmaster

	once sync.Once
	err  error
}

// Start runs a server and returns once it has answered a query. Before that it
// ends the servers and removes the folders that killed runs left behind. The
// error is ErrNotFound where no binaries are, ErrPortTaken where Port has
// another listener. The context bounds the start only: Close ends the server.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if err := reap(ctx); err != nil {
		cfg.Log.Warn("could not remove what a killed run left", "error", err)
	}
	if cfg.Port != 0 {
		if err := port.Check(host, cfg.Port); err != nil {
			return nil, fmt.Errorf("PostgreSQL port %w", err)
		}
	}

	s := &Server{temp: cfg.Dir == ""}
	var err error
	if s.dir, err = rundir.Open(kind, cfg.Dir); err != nil {
		return nil, fmt.Errorf("PostgreSQL folder: %w", err)
	}
	if err := s.run(ctx, cfg); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Server) run(ctx context.Context, cfg Config) error {
	c, err := openCluster(s.dir, s.temp)
	if err != nil {
		return err
	}
	s.user = c.user
	// The lock on the folder is ours, so whoever still serves it is an orphan.
	if err := endOrphan(ctx, c.data); err != nil {
		return err
	}
	if s.binaries, err = find(ctx, cfg.BinDir, c.major, c.user); err != nil {
		return err
	}
	if s.password, err = c.prepare(ctx, s.binaries); err != nil {
		return err
	}
	return s.serve(ctx, c, cfg)
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
		User:   url.UserPassword(superuser, s.password),
		Host:   net.JoinHostPort(host, strconv.Itoa(s.port)),
		Path:   database,
		// There is no certificate, and PGSSLMODE must not ask for one.
		RawQuery: "sslmode=disable",
	}
}

// Binaries are those the server runs from.
func (s *Server) Binaries() Binaries { return s.binaries }

// RunsAs is the name of the account the server runs under when that is not
// this process's own, else "".
func (s *Server) RunsAs() string {
	if s.user == nil {
		return ""
	}
	return s.user.name
}

// PID is the process id of the server's postmaster.
func (s *Server) PID() int { return s.proc.PID() }

// Done is closed when the server has ended, by Close or by itself.
func (s *Server) Done() <-chan struct{} { return s.proc.Done() }

// Err says why the server ended by itself, with the last lines of its log. It
// is meaningful once Done is closed.
func (s *Server) Err() error { return s.proc.ended() }

// Close ends the server, disconnecting its clients, and removes its folder if
// that was temporary. Later calls return what the first did.
func (s *Server) Close() error {
	s.once.Do(func() {
		if s.proc != nil {
			s.err = s.proc.stop()
		}
		if s.temp {
			s.err = errors.Join(s.err, s.dir.Remove())
		} else {
			s.err = errors.Join(s.err, s.dir.Release())
		}
	})
	return s.err
}
