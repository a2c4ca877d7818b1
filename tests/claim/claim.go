// Package claim tells what living test runs have made from what dead ones left
// behind: each run has a folder with a file that it keeps locked while it
// lives. The kernel releases the lock however the run ends, so that nobody has
// to trust process ids.
package claim

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// lockName is the locked file's name in the run's folder.
const lockName = "lock"

// Claim is a living run's claim to what bears its folder's path.
type Claim struct {
	dir  string
	lock *os.File
}

// New makes a claim, and removes the folders of runs that have died.
func New() (*Claim, error) {
	if err := os.MkdirAll(parent(), 0o700); err != nil {
		return nil, err
	}
	if err := removeDead(); err != nil {
		return nil, err
	}
	// A folder counts as dead until its lock is taken, so that it must not be
	// seen before. Only the rename puts it where others look.
	hidden, err := os.MkdirTemp(parent(), ".new-")
	if err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(hidden, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	dir := filepath.Join(parent(), "run-"+filepath.Base(hidden)[len(".new-"):])
	if err := os.Rename(hidden, dir); err != nil {
		_ = lock.Close()
		return nil, err
	}
	return &Claim{dir: dir, lock: lock}, nil
}

// Dir is the run's folder, for files that go with the run.
func (c *Claim) Dir() string { return c.dir }

// Release removes the folder and gives the claim up: what else bears its path
// is left over from now on.
func (c *Claim) Release() {
	_ = os.RemoveAll(c.dir) // what stays is removed by the next run
	_ = c.lock.Close()
}

// Alive says whether the run with that folder lives.
func Alive(dir string) bool {
	lock, err := os.Open(filepath.Join(dir, lockName))
	if err != nil {
		return false
	}
	defer lock.Close()
	return syscall.Flock(int(lock.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) != nil
}

func parent() string {
	return filepath.Join(os.TempDir(), fmt.Sprintf("streamgauge-tests-%d", os.Getuid()))
}

func removeDead() error {
	dirs, err := filepath.Glob(filepath.Join(parent(), "run-*"))
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		if Alive(dir) {
			continue
		}
		// Another run may be removing it at the same time.
		if err := os.RemoveAll(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
