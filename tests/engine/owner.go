package engine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// The labels of every container that a test run starts: the machine, and the
// path of a file that the run keeps locked while it lives. The kernel releases
// the lock however the run ends, so that the next one can tell what is left
// over without trusting process ids.
const (
	machineLabel = "io.github.streamgauge.tests.machine"
	ownerLabel   = "io.github.streamgauge.tests.owner"
)

// Owner is a live test run's claim to its containers.
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

// Labels returns the labels for a container of this run.
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

// Release gives the claim up: containers still there are left over from now
// on.
func (o *Owner) Release() {
	_ = os.Remove(o.file.Name())
	_ = o.file.Close()
}

// Reap removes the containers, with their volumes, of runs on this machine
// that have died, and returns how many. Runs that are alive keep theirs.
func (e *Engine) Reap(ctx context.Context) (int, error) {
	list, err := e.ContainerList(ctx, client.ContainerListOptions{
		All:     true,
		Filters: make(client.Filters).Add("label", ownerLabel, machineLabel+"="+machine()),
	})
	if err != nil {
		return 0, fmt.Errorf("list containers: %w", err)
	}
	removed := 0
	for _, container := range list.Items {
		owner := container.Labels[ownerLabel]
		if alive(owner) {
			continue
		}
		_, err := e.ContainerRemove(ctx, container.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		switch {
		case errdefs.IsNotFound(err), errdefs.IsConflict(err):
			// Another run is reaping at the same time.
		case err != nil:
			return removed, fmt.Errorf("remove container %s: %w", container.ID, err)
		default:
			removed++
		}
		if filepath.Dir(owner) == ownersDir() {
			_ = os.Remove(owner)
		}
	}
	return removed, nil
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
