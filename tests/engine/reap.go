package engine

import (
	"context"
	"fmt"
	"os"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/streamgauge/streamgauge/tests/claim"
)

// The labels of all that a test run puts on an engine: the machine, and the
// folder of the run's claim.
const (
	machineLabel = "io.github.streamgauge.tests.machine"
	runLabel     = "io.github.streamgauge.tests.run"
)

// Labels returns the labels for what a run makes.
func Labels(run *claim.Claim) map[string]string {
	return map[string]string{machineLabel: machine(), runLabel: run.Dir()}
}

// machine names this machine among those that may share a remote engine.
func machine() string {
	name, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return name
}

// Reap removes the containers (with their anonymous volumes), networks, named
// volumes and images of runs on this machine that have died, and returns how
// many. Runs that are alive keep theirs.
func (e *Engine) Reap(ctx context.Context) (int, error) {
	return e.remove(ctx, make(client.Filters).Add("label", runLabel, machineLabel+"="+machine()),
		func(labels map[string]string) bool { return !claim.Alive(labels[runLabel]) })
}

// RemoveAll removes what a run has made and labelled.
func (e *Engine) RemoveAll(ctx context.Context, run *claim.Claim) (int, error) {
	return e.remove(ctx, make(client.Filters).Add("label", runLabel+"="+run.Dir(), machineLabel+"="+machine()),
		func(map[string]string) bool { return true })
}

// thing is one object on the engine.
type thing struct {
	labels map[string]string
	remove func(context.Context) error
}

func (e *Engine) remove(ctx context.Context, filter client.Filters, wanted func(labels map[string]string) bool) (int, error) {
	removed := 0
	// In the order in which they depend on each other.
	for _, list := range []func(context.Context, client.Filters) ([]thing, error){
		e.containers, e.networks, e.volumes, e.images,
	} {
		things, err := list(ctx, filter)
		if err != nil {
			return removed, err
		}
		for _, found := range things {
			if !wanted(found.labels) {
				continue
			}
			err := found.remove(ctx)
			switch {
			case errdefs.IsNotFound(err), errdefs.IsConflict(err):
				// Someone else is removing it at the same time.
			case err != nil:
				return removed, err
			default:
				removed++
			}
		}
	}
	return removed, nil
}

func (e *Engine) containers(ctx context.Context, filter client.Filters) ([]thing, error) {
	list, err := e.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filter})
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	var things []thing
	for _, found := range list.Items {
		things = append(things, thing{found.Labels, func(ctx context.Context) error {
			_, err := e.ContainerRemove(ctx, found.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
			return err
		}})
	}
	return things, nil
}

func (e *Engine) networks(ctx context.Context, filter client.Filters) ([]thing, error) {
	list, err := e.NetworkList(ctx, client.NetworkListOptions{Filters: filter})
	if err != nil {
		return nil, fmt.Errorf("list networks: %w", err)
	}
	var things []thing
	for _, found := range list.Items {
		things = append(things, thing{found.Labels, func(ctx context.Context) error {
			_, err := e.NetworkRemove(ctx, found.ID, client.NetworkRemoveOptions{})
			return err
		}})
	}
	return things, nil
}

func (e *Engine) volumes(ctx context.Context, filter client.Filters) ([]thing, error) {
	list, err := e.VolumeList(ctx, client.VolumeListOptions{Filters: filter})
	if err != nil {
		return nil, fmt.Errorf("list volumes: %w", err)
	}
	var things []thing
	for _, found := range list.Items {
		things = append(things, thing{found.Labels, func(ctx context.Context) error {
			_, err := e.VolumeRemove(ctx, found.Name, client.VolumeRemoveOptions{})
			return err
		}})
	}
	return things, nil
}

func (e *Engine) images(ctx context.Context, filter client.Filters) ([]thing, error) {
	list, err := e.ImageList(ctx, client.ImageListOptions{Filters: filter})
	if err != nil {
		return nil, fmt.Errorf("list images: %w", err)
	}
	var things []thing
	for _, found := range list.Items {
		things = append(things, thing{found.Labels, func(ctx context.Context) error {
			_, err := e.ImageRemove(ctx, found.ID, client.ImageRemoveOptions{Force: true, PruneChildren: true})
			return err
		}})
	}
	return things, nil
}
