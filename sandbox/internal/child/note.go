package child

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const endInterval = 20 * time.Millisecond

// Note writes down in a file which process this is, for EndNoted of a later
// run.
func (p *Process) Note(file string) error {
	return os.WriteFile(file, fmt.Appendf(nil, "%d\n%s\n", p.PID(), strings.Join(p.cmd.Args, " ")), 0o600)
}

// EndNoted ends the process that a dead run has noted in the file, if it still
// runs: it is this user's, and has the command line that was noted.
func EndNoted(ctx context.Context, file string, grace time.Duration) error {
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	first, noted, _ := strings.Cut(string(b), "\n")
	pid, err := strconv.Atoi(first)
	if err == nil && pid > 1 {
		return End(ctx, pid, grace, func(uid uint32, command string) bool {
			return int(uid) == os.Geteuid() && strings.TrimSpace(command) == strings.TrimSpace(noted)
		}, syscall.SIGTERM)
	}
	return nil // torn when the run was killed
}

// End sends a process that is no child of this one the signals in turn,
// SIGKILL last, each when it still runs grace after the one before. Before
// each signal the process is looked at again: the one that is meant may have
// ended, and its number may be another's now.
func End(ctx context.Context, pid int, grace time.Duration, meant func(uid uint32, command string) bool, signals ...syscall.Signal) error {
	runs := func() bool {
		uid, command, err := inspect(ctx, pid)
		return err == nil && meant(uid, command)
	}
	tick := time.NewTicker(endInterval)
	defer tick.Stop()
	for _, sig := range append(signals, syscall.SIGKILL) {
		if !runs() {
			return nil
		}
		if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("end process %d, which a killed run left: %w", pid, err)
		}
		for deadline := time.Now().Add(grace); runs() && time.Now().Before(deadline); {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
	if runs() {
		return fmt.Errorf("process %d, which a killed run left, does not end", pid)
	}
	return nil
}
