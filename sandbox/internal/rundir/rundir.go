// Package rundir gives a run its own folder and tells the folders of living
// runs from those of dead ones.
//
// Each folder holds a file named lock, which its owner keeps locked with
// flock(2). The kernel releases the lock when the process ends, however it
// ends, so a folder whose lock can be taken belonged to a run that was killed.
// Lock files are opened close-on-exec: children do not inherit the lock, and
// an orphaned child does not make its dead parent look alive.
package rundir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

const (
	prefix   = "streamgauge-"
	lockName = "lock"
)

// Dir is a folder that belongs to this process until Remove or Release.
// It is safe for concurrent use.
type Dir struct {
	path string
	once sync.Once
	lock *os.File
	err  error
}

// held keeps every locked file reachable: a collected *os.File is closed, and
// closing it would give the lock away under a server that still runs.
var held sync.Map

// Create makes a new folder of the given kind in os.TempDir. Only this user
// may list it; others may enter it when this process is root, because servers
// that root starts run as an unprivileged user.
func Create(kind string) (*Dir, error) {
	for {
		path, err := os.MkdirTemp("", prefix+kind+"-")
		if err != nil {
			return nil, err
		}
		d, err := lock(path, os.O_CREATE)
		switch {
		case err == nil:
			if os.Geteuid() == 0 {
				err = os.Chmod(path, 0o711)
			}
			return d, err
		case errors.Is(err, ErrInUse), errors.Is(err, fs.ErrNotExist):
			// Another run's reaping saw the folder before it was locked, and
			// took it for a dead one. It is empty: let it go.
		default:
			return nil, err
		}
	}
}

// Open claims the folder at path, or creates a temporary one of the given kind
// when path is empty.
func Open(kind, path string) (*Dir, error) {
	if path == "" {
		return Create(kind)
	}
	return Claim(path)
}

// Claim locks the folder at path, which is made if it does not exist.
// The error is ErrInUse when another process holds it.
func Claim(path string) (*Dir, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(abs, 0o755); err != nil {
		return nil, err
	}
	return lock(abs, os.O_CREATE)
}

// Dead returns the folders of the given kind in os.TempDir whose runs have
// ended without removing them, locked by this process: the caller must Remove
// each. Folders of other users are left alone, whatever their name.
func Dead(kind string) ([]*Dir, error) {
	paths, err := own(kind)
	var dead []*Dir
	for _, path := range paths {
		d, err := lock(path, 0)
		if err == nil {
			dead = append(dead, d)
		} else if errors.Is(err, fs.ErrNotExist) {
			// Killed before it made the lock file, or after it removed it last
			// of all. If it is in between, it starts over with another folder.
			_ = syscall.Rmdir(path)
		}
	}
	return dead, err
}

// Living returns the paths of the folders of the given kind in os.TempDir whose
// runs still run. Those of other users are not among them.
func Living(kind string) ([]string, error) {
	paths, err := own(kind)
	var living []string
	for _, path := range paths {
		d, err := lock(path, 0)
		switch {
		case errors.Is(err, ErrInUse):
			living = append(living, path)
		case err == nil:
			_ = d.Release() // a dead one, for the next run to remove
		}
	}
	return living, err
}

// own are the folders of a kind in os.TempDir that are this user's.
func own(kind string) ([]string, error) {
	parent := os.TempDir()
	entries, err := os.ReadDir(parent)
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), prefix+kind+"-") {
			continue
		}
		info, err := e.Info()
		if err != nil {
			continue // removed since it was listed
		}
		if st, ok := info.Sys().(*syscall.Stat_t); ok && int(st.Uid) == os.Geteuid() {
			paths = append(paths, filepath.Join(parent, e.Name()))
		}
	}
	return paths, nil
}

func lock(path string, create int) (*Dir, error) {
	name := filepath.Join(path, lockName)
	f, err := os.OpenFile(name, os.O_RDWR|syscall.O_NOFOLLOW|create, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%s: %w", path, ErrInUse)
		}
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	// Between open and flock the file may have been removed with its folder:
	// a lock on a nameless file guards nothing.
	mine, err := f.Stat()
	if err == nil {
		var there fs.FileInfo
		if there, err = os.Lstat(name); err == nil && !os.SameFile(mine, there) {
			err = fmt.Errorf("%s: %w", path, ErrInUse)
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	d := &Dir{path: path, lock: f}
	held.Store(d, struct{}{})
	return d, nil
}

// Path joins elem to the folder's absolute path.
func (d *Dir) Path(elem ...string) string {
	return filepath.Join(append([]string{d.path}, elem...)...)
}

// Remove deletes the folder with all it holds and gives up the lock. Later
// calls return what the first did.
func (d *Dir) Remove() error {
	d.once.Do(func() {
		d.err = d.empty()
		d.unlock()
	})
	return d.err
}

// empty deletes the lock file last: a run killed here leaves a folder that is
// recognisably dead, or empty.
func (d *Dir) empty() error {
	entries, err := os.ReadDir(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if e.Name() != lockName {
			err = errors.Join(err, os.RemoveAll(d.Path(e.Name())))
		}
	}
	if err != nil {
		return err
	}
	if err := os.RemoveAll(d.Path(lockName)); err != nil {
		return err
	}
	return os.RemoveAll(d.path)
}

// Release gives up the lock and leaves the folder as it is.
func (d *Dir) Release() error {
	d.once.Do(d.unlock)
	return d.err
}

func (d *Dir) unlock() {
	held.Delete(d)
	d.err = errors.Join(d.err, d.lock.Close())
}
