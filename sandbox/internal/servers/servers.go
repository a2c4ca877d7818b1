// Package servers brings up what the pair needs: NATS in this process, and a
// PostgreSQL from the first way that exists.
package servers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/streamgauge/streamgauge/sandbox/internal/child"
	"github.com/streamgauge/streamgauge/sandbox/internal/port"
	"github.com/streamgauge/streamgauge/sandbox/internal/rundir"
	"github.com/streamgauge/streamgauge/sandbox/natsd"
)

// StandardNATSPort is the port that clients try by default.
const StandardNATSPort = 4222

const (
	kind     = "sandbox"
	noteFile = "child"
	endGrace = 10 * time.Second
)

// Config says what to bring up. The zero value is temporary servers on the
// standard ports, or free ones where those are taken.
type Config struct {
	NATSPort     int    // 0 = the standard one if it is free, else a free one
	PostgresPort int    // likewise
	Keep         string // folder for the data; "" = temporary folders, removed by Close
	DatabaseURL  string // of a server to use; "" = start one
	Image        string // of a container, where one is used; "" = the default

	// FreePorts has a 0 above mean a free port at once: for servers that only
	// this process and its children use.
	FreePorts bool
}

// Validate reports the first setting that can't be used.
func (c Config) Validate() error {
	for name, number := range map[string]int{"--nats-port": c.NATSPort, "--postgres-port": c.PostgresPort} {
		if number < 0 || number > 65535 {
			return fmt.Errorf("%s %d is not between 0 and 65535", name, number)
		}
	}
	if c.DatabaseURL != "" && c.PostgresPort != 0 {
		return errors.New("DATABASE_URL names a server, so --postgres-port has nothing to apply to: give one or the other")
	}
	return nil
}

// Servers are running servers. They are safe for concurrent use.
type Servers struct {
	NATSURL   string
	NATSMoved bool // the standard port was taken
	Database  Database
	Kept      bool // Close leaves the data

	nats  *natsd.Server
	run   *rundir.Dir
	close []func() error
}

// Start brings up both servers. What killed runs left is removed first. The
// context bounds the start only. Errors that a setting would cure name it.
func Start(ctx context.Context, cfg Config, log *slog.Logger) (*Servers, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := reap(ctx); err != nil {
		log.Warn("could not remove what a killed run left", "error", err)
	}
	s := &Servers{Kept: cfg.Keep != ""}
	if err := s.start(ctx, cfg, log); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Servers) start(ctx context.Context, cfg Config, log *slog.Logger) error {
	var err error
	if s.Kept {
		s.run, err = rundir.Claim(cfg.Keep)
		if err == nil {
			s.onClose(s.run.Release)
		}
	} else {
		s.run, err = rundir.Create(kind)
		if err == nil {
			s.onClose(s.run.Remove)
		}
	}
	if err != nil {
		return err
	}
	if err := s.startNATS(ctx, cfg, log); err != nil {
		return err
	}
	s.Database, err = startDatabase(ctx, cfg, s.kept("postgres"), log)
	if err != nil {
		return err
	}
	s.onClose(s.Database.close)
	if err := s.writeEnv(); err != nil {
		return err
	}
	s.onClose(s.removeEnv)
	return nil
}

func (s *Servers) startNATS(ctx context.Context, cfg Config, log *slog.Logger) error {
	start := func(number int) (err error) {
		s.nats, err = natsd.Start(ctx, natsd.Config{Port: number, StoreDir: s.kept("nats"), Log: log})
		return err
	}
	var err error
	s.NATSMoved, err = onPort(cfg.NATSPort, StandardNATSPort, cfg.FreePorts, start)
	if errors.Is(err, port.ErrTaken) {
		return fmt.Errorf("%w: free it or give another --nats-port", err)
	}
	if err != nil {
		return err
	}
	s.NATSURL = s.nats.URL()
	s.onClose(s.nats.Close)
	return nil
}

// onPort starts on the wanted port; on the standard one when none is wanted,
// or on a free one when that is taken: then it has moved.
func onPort(wanted, standard int, free bool, start func(port int) error) (moved bool, err error) {
	if wanted != 0 || free {
		return false, start(wanted)
	}
	err = start(standard)
	if errors.Is(err, port.ErrTaken) {
		return true, start(0)
	}
	return false, err
}

// kept is the folder of a server whose data persists, else "".
func (s *Servers) kept(name string) string {
	if !s.Kept {
		return ""
	}
	return s.run.Path(name)
}

// Dir is the run's own folder, removed by Close unless the data is kept.
func (s *Servers) Dir() string { return s.run.Path() }

func (s *Servers) onClose(f func() error) { s.close = append(s.close, f) }

// Close ends the servers, the last started first, and removes what is not
// kept. It is to be called once.
func (s *Servers) Close() error {
	var err error
	for _, f := range slices.Backward(s.close) {
		err = errors.Join(err, f())
	}
	s.close = nil
	return err
}

// EndWithRun has a child of this process ended by the next run, should this
// one be killed where the kernel does not see to it. One child can be noted.
func (s *Servers) EndWithRun(p *child.Process) error { return p.Note(s.run.Path(noteFile)) }

func reap(ctx context.Context) error {
	dead, err := rundir.Dead(kind)
	for _, d := range dead {
		if e := child.EndNoted(ctx, d.Path(noteFile), endGrace); e != nil {
			err = errors.Join(err, e, d.Release())
			continue
		}
		err = errors.Join(err, d.Remove())
	}
	return err
}
