// Package standin builds images that stand in for the official ones of
// nats-server and PostgreSQL, without any registry: from the Go module, from
// this machine's binaries or from Debian's packages. They understand what the
// official ones are given in this project (command line flags, environment
// variables, health checks, volumes), and no more.
package standin

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/streamgauge/streamgauge/tests/engine"
)

const (
	// Repository begins the name of every stand-in.
	Repository = "streamgauge-standin/"
	// label marks stand-ins, with which of them it is.
	label = "io.github.streamgauge.standin"
	// supersededAge is how long a stand-in made from other inputs is kept:
	// another checkout may be about to start a container from it.
	supersededAge = 24 * time.Hour
)

// Image is a stand-in that can be built.
type Image struct {
	name string
	// inputs identifies what the image would be made from, without making it.
	inputs func(ctx context.Context, arch string) (string, error)
	// rootfs gathers the files. Cleanup removes what it made on the way.
	rootfs func(ctx context.Context, arch string) (files *Tree, cleanup func(), err error)
	// config is the image's configuration as Dockerfile instructions.
	config func() []string
}

// Ensure returns the name of an up-to-date stand-in on the engine, which it
// builds if there is none made from the same inputs.
func Ensure(ctx context.Context, eng *engine.Engine, image Image) (string, error) {
	inputs, err := image.inputs(ctx, eng.Arch)
	if err != nil {
		return "", err
	}
	digest := sha256.Sum256([]byte(strings.Join(append(image.config(), inputs), "\n")))
	ref := fmt.Sprintf("%s%s:%x", Repository, image.name, digest[:8])
	_, err = eng.ImageInspect(ctx, ref)
	if err == nil || !errdefs.IsNotFound(err) {
		return ref, err
	}
	unlock, err := lock("standin-" + image.name)
	if err != nil {
		return "", err
	}
	defer unlock()
	// Whoever held the lock has most likely built it.
	_, err = eng.ImageInspect(ctx, ref)
	if err == nil || !errdefs.IsNotFound(err) {
		return ref, err
	}
	if err := build(ctx, eng, image, ref); err != nil {
		return "", err
	}
	return ref, removeSuperseded(ctx, eng, image, ref)
}

// build imports the files as a one-layer image, for which the engine needs no
// builder.
func build(ctx context.Context, eng *engine.Engine, image Image, ref string) error {
	files, cleanup, err := image.rootfs(ctx, eng.Arch)
	if err != nil {
		return err
	}
	defer cleanup()

	reader, writer := io.Pipe()
	go func() { writer.CloseWithError(files.WriteTar(writer)) }()
	defer reader.Close()
	answer, err := eng.ImageImport(ctx,
		client.ImageImportSource{Source: reader, SourceName: "-"}, ref,
		client.ImageImportOptions{
			Changes:  append(image.config(), "LABEL "+label+"="+image.name),
			Platform: ocispec.Platform{OS: "linux", Architecture: eng.Arch},
		})
	if err != nil {
		return fmt.Errorf("import %s: %w", ref, err)
	}
	defer answer.Close()
	if err := importFailure(answer); err != nil {
		return fmt.Errorf("import %s: %w", ref, err)
	}
	return nil
}

// importFailure reads the engine's progress messages to their end and returns
// the failure among them, if any.
func importFailure(answer io.Reader) error {
	for messages := json.NewDecoder(answer); ; {
		var message struct {
			Error string `json:"error"`
		}
		err := messages.Decode(&message)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case message.Error != "":
			return errors.New(message.Error)
		}
	}
}

// removeSuperseded removes older builds of the image, except those in use.
func removeSuperseded(ctx context.Context, eng *engine.Engine, image Image, current string) error {
	list, err := eng.ImageList(ctx, client.ImageListOptions{
		Filters: make(client.Filters).Add("label", label+"="+image.name),
	})
	if err != nil {
		return fmt.Errorf("list stand-ins: %w", err)
	}
	for _, old := range list.Items {
		if len(old.RepoTags) == 1 && old.RepoTags[0] == current || time.Since(time.Unix(old.Created, 0)) < supersededAge {
			continue
		}
		_, err := eng.ImageRemove(ctx, old.ID, client.ImageRemoveOptions{PruneChildren: true})
		if err != nil && !errdefs.IsConflict(err) && !errdefs.IsNotFound(err) {
			return fmt.Errorf("remove stand-in %s: %w", old.ID, err)
		}
	}
	return nil
}
