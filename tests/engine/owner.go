package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// The labels of all that a test run puts on an engine: the machine, and the
// path of a file that the run keeps locked while it lives. The kernel releases
// the lock however the run ends, so that the next one can tell what is left
// over without trusting process ids.
const (
	machineLabel = "io.github.streamgauge.tests.machine"
	ownerLabel   = "io.github.streamgauge.tests.run"
)

// Owner is a live test run's claim to what it has put on an engine.
type Owner struct {
	file *os.File
}

func ownersDir() string {
	return filepath.Join(os.TempDir(), fmt.Sprintf("streamgauge-tests-%d", os.Getuid()))
}

// NewOwner makes and locks the file of a new run.
func NewOwner() (*Owner, error) {
	dir := ownersDir()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	file, err := os.CreateTemp(dir, "run-*.lock")
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("lock %s: %w", file.Name(), err)
	}
	return &Owner{file: file}, nil
}

// Labels returns the labels for what this run makes.
func (o *Owner) Labels() map[string]string {
	return map[string]string{machineLabel: machine(), ownerLabel: o.file.Name()}
}

// machine names this machine among those that may share a remote engine.
func machine() string {
	name, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return name
}

// Release gives the claim up: what is still there is left over from now on.
func (o *Owner) Release() {
	_ = os.Remove(o.file.Name())
	_ = o.file.Close()
}

// alive says whether a run still holds the lock on its file.
func alive(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	return syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) != nil
}
