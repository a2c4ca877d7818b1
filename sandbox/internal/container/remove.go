package container

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/sandbox/internal/rundir"
)

const logTimeout = 5 * time.Second

// Err says why the container ended by itself, with the last lines of its log.
func (s *Server) Err() error {
	return s.failure(context.Background(), errors.New("PostgreSQL in Docker ended"))
}

// failure adds the last lines of the container's log to err.
func (s *Server) failure(ctx context.Context, err error) error {
	ctx, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	return fmt.Errorf("%w%s", err, logs(ctx, s.name))
}

// removeNamed removes the container whose name the run's folder holds, with
// the volumes that are its own. Without a name there is nothing to do.
func removeNamed(ctx context.Context, d *rundir.Dir) error {
	b, err := os.ReadFile(d.Path(nameFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	name := strings.TrimSpace(string(b))
	_, err = docker(ctx, nil, "rm", "--force", "--volumes", name)
	if err != nil && !strings.Contains(err.Error(), "No such container") {
		return err
	}
	return os.Remove(d.Path(nameFile))
}

// reap removes the containers and folders of dead runs.
func reap(ctx context.Context) error {
	dead, err := rundir.Dead(kind)
	for _, d := range dead {
		if e := removeNamed(ctx, d); e != nil {
			err = errors.Join(err, e, d.Release())
			continue
		}
		err = errors.Join(err, d.Remove())
	}
	return err
}
