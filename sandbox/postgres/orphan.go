package postgres

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/streamgauge/streamgauge/sandbox/internal/child"
	"github.com/streamgauge/streamgauge/sandbox/internal/rundir"
)

// reap ends the servers of dead runs and removes their folders. Those of
// living runs are locked and stay untouched.
func reap(ctx context.Context) error {
	dead, err := rundir.Dead(kind)
	for _, d := range dead {
		if e := endOrphan(ctx, d.Path("data")); e != nil {
			err = errors.Join(err, e, d.Release())
			continue
		}
		err = errors.Join(err, d.Remove())
	}
	return err
}

// endOrphan ends the server on the data folder, if there is one. The process
// that postmaster.pid names is signalled only while it is verifiably that
// server: owned by the folder's owner and started with -D and this folder. The
// caller holds the lock of the run the folder belongs to.
func endOrphan(ctx context.Context, data string) error {
	info, err := os.Stat(data)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	b, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	first, _, _ := bytes.Cut(b, []byte("\n"))
	pid, err := strconv.Atoi(strings.TrimSpace(string(first)))
	if err == nil && pid > 1 {
		return child.End(ctx, pid, stopGrace, func(uid uint32, command string) bool {
			return uid == st.Uid && strings.Contains(command, " -D "+data+" -p ")
		}, syscall.SIGINT, syscall.SIGQUIT)
	}
	return nil // empty or torn: nothing to signal
}
