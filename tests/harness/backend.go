package harness

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/streamgauge/streamgauge/tests/claim"
	"github.com/streamgauge/streamgauge/tests/engine"
)

// The values of TEST_SERVERS. Without it containers are used where a Docker
// engine answers.
const (
	useDocker    = "docker"
	useProcesses = "processes"
)

func chooseBackend(ctx context.Context, root string, run *claim.Claim) (backend, error) {
	required := os.Getenv("REQUIRE_DOCKER") == "1"
	switch choice := os.Getenv("TEST_SERVERS"); choice {
	case useProcesses:
		if required {
			return nil, fmt.Errorf("%w forbids TEST_SERVERS=%s", errDockerRequired, choice)
		}
		return newLocal("TEST_SERVERS=" + choice), nil
	case "", useDocker:
		eng, err := engine.Find(ctx)
		switch {
		case err == nil:
			started, err := newContainers(ctx, root, eng, run)
			if err != nil {
				return nil, err // not a nil *containers in an interface that is not nil
			}
			return started, nil
		case !errors.Is(err, engine.ErrNone):
			return nil, err
		case required:
			return nil, fmt.Errorf("%w: %w", errDockerRequired, err)
		case choice == useDocker:
			return nil, fmt.Errorf("TEST_SERVERS=%s: %w", choice, err)
		default:
			return newLocal(err.Error()), nil
		}
	default:
		return nil, fmt.Errorf("TEST_SERVERS=%s: must be %q or %q", choice, useDocker, useProcesses)
	}
}
