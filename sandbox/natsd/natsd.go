// Package natsd runs a NATS server with JetStream inside this process.
package natsd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/streamgauge/streamgauge/sandbox/internal/port"
	"github.com/streamgauge/streamgauge/sandbox/internal/rundir"
)

const (
	kind = "nats"

	// startTimeout bounds the recovery of a store that a killed run left; an
	// empty one is ready in milliseconds.
	startTimeout = 30 * time.Second

	// maxStore is what all streams together may reserve, in bytes. A stream
	// reserves its MaxBytes when it is created, and the server's own default,
	// three quarters of the free disk, would refuse the streams of many test
	// accounts although they stay almost empty.
	maxStore = 1 << 40
)

// Config says how a server runs. The zero value is a server on a free port of
// 127.0.0.1 without authentication, whose store is temporary.
type Config struct {
	Host     string       // address to listen on; default 127.0.0.1
	Port     int          // 0 = a free one
	StoreDir string       // JetStream's folder; "" = a temporary one, removed by Close
	Accounts []Account    // none = no authentication
	Log      *slog.Logger // the server's warnings and errors; nil = nowhere
}

// Account is an account with JetStream and its one user. Names and passwords
// are made of letters, digits, '.', '_' and '-'.
type Account struct{ Name, User, Password string }

var word = regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)

// Validate reports the first setting that can't be used.
func (c Config) Validate() error {
	if c.Port < 0 || c.Port > 65535 {
		return fmt.Errorf("NATS port %d is not between 0 and 65535", c.Port)
	}
	names, users := map[string]bool{"SYS": true}, map[string]bool{}
	for _, a := range c.Accounts {
		for _, s := range []string{a.Name, a.User, a.Password} {
			if !word.MatchString(s) {
				return fmt.Errorf("NATS account %q: name, user and password must match %s", a.Name, word)
			}
		}
		if names[a.Name] || users[a.User] {
			return fmt.Errorf("NATS account %q: name or user is not unique", a.Name)
		}
		names[a.Name], users[a.User] = true, true
	}
	return nil
}

// Server is a running server. It is safe for concurrent use.
type Server struct {
	nats *server.Server
	url  string
	dir  *rundir.Dir
	temp bool
	once sync.Once
	err  error
}

// Start runs a server and returns once it takes connections and every account
// has JetStream. First it removes the stores that killed runs left in the
// temporary folder. The context bounds the start only: Close ends the server.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Host == "" {
		cfg.Host = "127.0.0.1"
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if err := reap(); err != nil {
		cfg.Log.Warn("could not remove what a killed run left", "error", err)
	}
	if cfg.Port != 0 {
		// The server itself would only log it.
		if err := port.Check(cfg.Host, cfg.Port); err != nil {
			return nil, fmt.Errorf("NATS port %w", err)
		}
	}

	s := &Server{temp: cfg.StoreDir == ""}
	var err error
	if s.dir, err = rundir.Open(kind, cfg.StoreDir); err != nil {
		return nil, fmt.Errorf("NATS store folder: %w", err)
	}
	if err := s.run(ctx, cfg); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Server) run(ctx context.Context, cfg Config) error {
	opts := &server.Options{}
	if len(cfg.Accounts) > 0 {
		if err := opts.ProcessConfigString(accountsConfig(cfg.Accounts)); err != nil {
			return fmt.Errorf("NATS accounts: %w", err)
		}
	}
	opts.ServerName = "streamgauge-sandbox"
	opts.Host = cfg.Host
	opts.Port = cfg.Port
	if opts.Port == 0 {
		opts.Port = server.RANDOM_PORT
	}
	opts.NoSigs = true
	opts.JetStream = true
	opts.JetStreamMaxStore = maxStore
	opts.StoreDir = s.dir.Path()

	ns, err := server.NewServer(opts)
	if err != nil {
		return fmt.Errorf("NATS server: %w", err)
	}
	s.nats = ns
	log := &forward{log: cfg.Log}
	ns.SetLoggerV2(log, false, false, false)

	// Start returns when accounts and JetStream are set up, or after a fatal
	// error, which the server only logs.
	started := make(chan struct{})
	go func() {
		defer close(started)
		ns.Start()
	}()
	timeout := time.NewTimer(startTimeout)
	defer timeout.Stop()
	select {
	case <-started:
	case <-ctx.Done():
		// A server that is shut down while it starts may go on making files in
		// the folder that is then removed.
		select {
		case <-started:
		case <-timeout.C:
		}
		return ctx.Err()
	case <-timeout.C:
		return fmt.Errorf("NATS server was not ready after %s%s", startTimeout, log.last())
	}
	if !ns.ReadyForConnections(time.Second) || !ns.JetStreamEnabled() {
		return fmt.Errorf("NATS server did not start%s", log.last())
	}
	s.url = (&url.URL{Scheme: "nats", Host: ns.Addr().String()}).String()
	return nil
}

// URL is where clients connect, without credentials: those are in Config.
func (s *Server) URL() string { return s.url }

// Close ends the server, and removes its store if that was temporary. Later
// calls return what the first did.
func (s *Server) Close() error {
	s.once.Do(func() {
		if s.nats != nil {
			s.nats.Shutdown()
			s.nats.WaitForShutdown()
		}
		if s.temp {
			s.err = s.dir.Remove()
		} else {
			s.err = s.dir.Release()
		}
	})
	return s.err
}

func accountsConfig(accounts []Account) string {
	var b strings.Builder
	b.WriteString("system_account: SYS\naccounts {\n  SYS {}\n")
	for _, a := range accounts {
		fmt.Fprintf(&b, "  %q { jetstream: enabled, users: [ { user: %q, password: %q } ] }\n", a.Name, a.User, a.Password)
	}
	b.WriteString("}\n")
	return b.String()
}

func reap() error {
	dead, err := rundir.Dead(kind)
	for _, d := range dead {
		err = errors.Join(err, d.Remove())
	}
	return err
}
