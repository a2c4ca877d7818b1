package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/streamgauge/streamgauge/sandbox/internal/port"
)

const (
	startTimeout  = 60 * time.Second // crash recovery of a kept cluster may take a while
	startInterval = 25 * time.Millisecond
	answerTimeout = 2 * time.Second
)

// What the server logs, in English for LC_ALL=C, when another process has the
// port, and when backends of a killed postmaster have not noticed its end yet.
const (
	logPortTaken    = "Address already in use"
	logStillRunning = "is still in use"
	logLockExists   = `lock file "postmaster.pid" already exists`
)

// serve starts the server until it answers a query. A free port is free only
// until someone else takes it, so it is chosen anew when that happened.
func (s *Server) serve(ctx context.Context, c *cluster, cfg Config) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout,
		fmt.Errorf("PostgreSQL was not ready after %s", startTimeout))
	defer cancel()
	for {
		s.port = cfg.Port
		if s.port == 0 {
			var err error
			if s.port, err = port.Free(host); err != nil {
				return err
			}
		}
		cmd := exec.Command(filepath.Join(s.binaries.Dir, "postgres"), arguments(c.data, s.port, cfg.Settings)...)
		cmd.Dir = c.dir.Path()
		cmd.Env = environment()
		cmd.SysProcAttr = c.user.attributes()
		proc, err := start(cmd, c.dir.Path("postgres.log"))
		if err != nil {
			return fmt.Errorf("PostgreSQL%s: %w", c.user.suffix(), err)
		}
		s.proc = proc

		err = s.ready(ctx)
		if err == nil {
			return nil
		}
		var gone *endedError
		if !errors.As(err, &gone) {
			return err // Close ends the process
		}
		switch {
		case strings.Contains(gone.log, logPortTaken) && cfg.Port != 0:
			return fmt.Errorf("PostgreSQL port %d on %s: %w", cfg.Port, host, ErrPortTaken)
		case strings.Contains(gone.log, logPortTaken),
			strings.Contains(gone.log, logStillRunning),
			strings.Contains(gone.log, logLockExists):
			if !pause(ctx, startInterval) {
				return errors.Join(context.Cause(ctx), err)
			}
		default:
			return err
		}
	}
}

func arguments(data string, port int, settings map[string]string) []string {
	all := map[string]string{
		"listen_addresses":        host,
		"unix_socket_directories": "",
		"logging_collector":       "off",
		"log_destination":         "stderr",
	}
	maps.Copy(all, settings)
	args := []string{"-D", data, "-p", strconv.Itoa(port)}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		args = append(args, "-c", name+"="+all[name])
	}
	return args
}

// ready waits until the server answers a query, or has ended, or the context
// is done.
func (s *Server) ready(ctx context.Context) error {
	var last error
	for {
		if last = s.ask(ctx); last == nil {
			return nil
		}
		timer := time.NewTimer(startInterval)
		select {
		case <-s.proc.Done():
			timer.Stop()
			return s.proc.ended()
		case <-ctx.Done():
			timer.Stop()
			if errors.Is(context.Cause(ctx), context.Canceled) {
				return context.Cause(ctx)
			}
			return fmt.Errorf("%w: %w%s", context.Cause(ctx), last, s.proc.lastLines())
		case <-timer.C:
		}
	}
}

// ask makes one query. That the password is accepted shows that this server
// answers, not another one on the same port.
func (s *Server) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL())
	if err != nil {
		return err
	}
	var one int
	err = conn.QueryRow(ctx, "SELECT 1").Scan(&one)
	return errors.Join(err, conn.Close(ctx))
}

// pause reports whether d went by before the context was done.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
