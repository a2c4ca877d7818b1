// Package serve is the sandbox that stays: both servers, until it is told to
// end.
package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/streamgauge/streamgauge/sandbox/internal/pair"
	"github.com/streamgauge/streamgauge/sandbox/internal/servers"
)

// Config says what runs and how it is told.
type Config struct {
	Servers      servers.Config
	JSON         bool // one object with the real addresses, instead of text
	ShowPassword bool // in text
}

// Validate reports the first setting that can't be used.
func (c Config) Validate() error { return c.Servers.Validate() }

// Run starts the servers, tells on out how to reach them once they answer, and
// ends them when the context is done, which is the normal end and no error,
// unless they were not ready yet. A server that ends by itself is an error.
func Run(ctx context.Context, cfg Config, out io.Writer, log *slog.Logger) (err error) {
	if err := cfg.Validate(); err != nil {
		return err
	}
	s, err := servers.Start(ctx, cfg.Servers, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()

	if cfg.JSON {
		err = tellJSON(out, s)
	} else {
		err = tell(out, cfg, s)
	}
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return nil
	case <-s.Database.Done():
		return s.Database.Err()
	}
}

// Addresses is what --output json prints, on one line.
type Addresses struct {
	NATSURL     string         `json:"nats_url"`
	DatabaseURL string         `json:"database_url"` // with the password
	Postgres    servers.Origin `json:"postgres"`
	EnvFile     string         `json:"env_file"`
	Persistent  bool           `json:"persistent"`
	PID         int            `json:"pid"` // SIGTERM ends the sandbox
}

func tellJSON(out io.Writer, s *servers.Servers) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	return enc.Encode(Addresses{
		NATSURL: s.NATSURL, DatabaseURL: s.Database.URL, Postgres: s.Database.Origin,
		EnvFile: s.EnvFile(), Persistent: s.Kept, PID: os.Getpid(),
	})
}

func tell(out io.Writer, cfg Config, s *servers.Servers) error {
	shown := s.Database.Redacted
	if cfg.ShowPassword {
		shown = s.Database.URL
	}
	data := "temporary, removed at the end (--keep DIR keeps it)"
	switch {
	case s.Kept && s.Database.Origin == servers.Given:
		data = "the queue's is kept in " + s.Dir() + ", the database is yours"
	case s.Kept:
		data = "kept in " + s.Dir() + ", used again by the same --keep"
	case s.Database.Origin == servers.Given:
		data = "the queue's is temporary, the database keeps what is loaded"
	}
	_, err := fmt.Fprintf(out, `NATS        %s
            JetStream on, in this process%s
PostgreSQL  %s
            %s%s
Data        %s

Next, in another terminal:
  %s   # addresses, password
  %s
and in a third one, after the same line:
%s  %s

Ctrl-C ends the sandbox.
`,
		s.NATSURL, note(s.NATSMoved, servers.StandardNATSPort),
		shown, s.Database.About, note(s.Database.Moved, servers.StandardPostgresPort), data,
		reach(s), pair.Command("consumer"), loading(), subscriber())
	return err
}

// note says why a server is not where clients look first.
func note(moved bool, standard int) string {
	if !moved {
		return ""
	}
	return fmt.Sprintf("; port %d was taken", standard)
}

// loading are the lines that load a sample, which is made first where it is
// not at hand.
func loading() string {
	load := func(dir string) string {
		return fmt.Sprintf("  %s --file %s --wait\n", pair.Command("producer"), filepath.Join(dir, "2012-1.csv"))
	}
	for _, dir := range []string{"sandbox/data", "data"} {
		if _, err := os.Stat(filepath.Join(dir, "2012-1.csv")); err == nil {
			return load(dir)
		}
	}
	return fmt.Sprintf("  %s gen --samples samples\n", pair.Command("sandbox")) + load("samples")
}

// subscriber shows the statistics as they change, by NATS's own tool if it is
// installed.
func subscriber() string {
	if path, err := exec.LookPath("nats"); err == nil && path != "" {
		return "nats sub --raw stats.price"
	}
	return pair.Command("consumer") + " stats --watch"
}
