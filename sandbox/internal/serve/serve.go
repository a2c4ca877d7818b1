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
	"github.com/streamgauge/streamgauge/sandbox/internal/shell"
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
		data = "the queue's is temporary, the database is yours and keeps what is loaded"
	}
	_, err := fmt.Fprintf(out, `NATS        %s
            JetStream on, %s
PostgreSQL  %s
            %s
Data        %s

Next, in another terminal:
  source %s     # the addresses, with the password
  %s
and in a third one, after the same source:
  %s --file %s --wait
  %s

Ctrl-C ends the sandbox.
`,
		s.NATSURL, portNote(cfg.Servers, s), shown, s.Database.About, data,
		shell.Quote(s.EnvFile()), pair.Command("consumer"), pair.Command("producer"), sampleFile(), subscriber())
	return err
}

// portNote says where NATS runs, and why it is not where clients look first.
func portNote(cfg servers.Config, s *servers.Servers) string {
	note := "in this process"
	if cfg.NATSPort == 0 && !s.OnStandardNATSPort() {
		note += fmt.Sprintf("; port %d was taken", servers.StandardNATSPort)
	}
	return note
}

// sampleFile is one of the samples if they are here, else a stand-in.
func sampleFile() string {
	for _, dir := range []string{"sandbox/data", "data"} {
		path := filepath.Join(dir, "2012-1.csv")
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return "FILE.csv"
}

// subscriber shows the statistics as they change, by NATS's own tool if it is
// installed.
func subscriber() string {
	if path, err := exec.LookPath("nats"); err == nil && path != "" {
		return "nats sub --raw stats.price"
	}
	return pair.Command("consumer") + " stats --watch"
}
