// Package images decides which NATS and PostgreSQL images the tests run: the
// official ones, or stand-ins built on the spot where no registry is to be
// had.
package images

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/streamgauge/streamgauge/tests/engine"
	"github.com/streamgauge/streamgauge/tests/images/standin"
)

// pullTime bounds the pull of one image. A pull that takes longer is slow, and
// slow is an error, never a reason for a stand-in.
const pullTime = 10 * time.Minute

// The values of TEST_IMAGES. Without it the official images are tried first.
const (
	Official = "official" // never build a stand-in
	StandIn  = "stand-in" // never ask a registry
)

// Image is what one server runs from.
type Image struct {
	// Ref names the image on the engine, where it is present.
	Ref string
	// StandIn is set for an image built here in place of the official one.
	StandIn bool
	// Why says in a few words how it was chosen.
	Why string
}

// Set is the images of a test run.
type Set struct {
	NATS, Postgres Image
}

// AnyStandIn says whether at least one image was built here, which means that
// no other image can be expected from a registry either.
func (s Set) AnyStandIn() bool { return s.NATS.StandIn || s.Postgres.StandIn }

// String says in one line what was chosen and why.
func (s Set) String() string { return s.NATS.String() + ", " + s.Postgres.String() }

func (i Image) String() string {
	if i.StandIn {
		return fmt.Sprintf("%s (stand-in: %s)", i.Ref, i.Why)
	}
	return fmt.Sprintf("%s (%s)", i.Ref, i.Why)
}

// Resolve chooses both images and makes sure that they are on the engine.
// NATS_IMAGE and POSTGRES_IMAGE override the names that docker-compose.yml
// pins; an override is pulled if need be and never replaced by a stand-in.
func Resolve(ctx context.Context, root string, eng *engine.Engine) (Set, error) {
	nats, err := resolve(ctx, root, eng, "NATS_IMAGE", standin.NATS(root))
	if err != nil {
		return Set{}, err
	}
	postgres, err := resolve(ctx, root, eng, "POSTGRES_IMAGE", standin.Postgres())
	if err != nil {
		return Set{}, err
	}
	return Set{NATS: nats, Postgres: postgres}, nil
}

func resolve(ctx context.Context, root string, eng *engine.Engine, variable string, substitute standin.Image) (Image, error) {
	if ref := os.Getenv(variable); ref != "" {
		if err := obtain(ctx, eng, ref); err != nil {
			return Image{}, fmt.Errorf("%s=%s: %w", variable, ref, err)
		}
		return Image{Ref: ref, StandIn: strings.HasPrefix(ref, standin.Repository), Why: "from " + variable}, nil
	}

	ref, err := Pinned(root, variable)
	if err != nil {
		return Image{}, err
	}
	why := "TEST_IMAGES=" + StandIn
	switch mode := os.Getenv("TEST_IMAGES"); mode {
	case "", Official:
		err := obtain(ctx, eng, ref)
		if err == nil {
			return Image{Ref: ref, Why: "official"}, nil
		}
		if mode == Official || !unavailable(err) {
			return Image{}, fmt.Errorf("pull %s: %w (TEST_IMAGES=%s builds a stand-in instead)", ref, err, StandIn)
		}
		why = lastCause(err)
	case StandIn:
	default:
		return Image{}, fmt.Errorf("TEST_IMAGES=%s: must be %q or %q", mode, Official, StandIn)
	}

	built, err := standin.Ensure(ctx, eng, substitute)
	if err != nil {
		return Image{}, fmt.Errorf("build a stand-in for %s (%s): %w", ref, why, err)
	}
	return Image{Ref: built, StandIn: true, Why: why}, nil
}

// obtain pulls an image unless the engine has it.
func obtain(ctx context.Context, eng *engine.Engine, ref string) error {
	_, err := eng.ImageInspect(ctx, ref)
	if !errdefs.IsNotFound(err) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, pullTime)
	defer cancel()
	pull, err := eng.ImagePull(ctx, ref, client.ImagePullOptions{})
	if err != nil {
		return err
	}
	return pull.Wait(ctx)
}

// lastCause shortens a chain of "a: b: c" to its last link, the one that tells.
func lastCause(err error) string {
	text := err.Error()
	if cut := strings.LastIndex(text, ": "); cut >= 0 {
		return text[cut+2:]
	}
	return text
}
