// Package stack has docker-compose.yml brought up under a name of its own, with
// whatever compose this machine has, and everything that was made of it removed.
package stack

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/streamgauge/streamgauge/tests/claim"
	"github.com/streamgauge/streamgauge/tests/engine"
)

// ErrNoCompose says that there is an engine, but no compose.
var ErrNoCompose = errors.New("neither docker compose nor docker-compose is installed")

// Stack is a compose project that may not exist yet.
type Stack struct {
	Engine  *engine.Engine
	Command []string // docker compose, or the older program
	Version string   // what it says about itself
	Project string

	claim *claim.Claim
}

// New prepares one, after what killed runs left has been removed; Close is to be
// called. The error is engine.ErrNone or ErrNoCompose where it can't be, which
// REQUIRE_DOCKER=1 makes any other error.
func New(ctx context.Context) (*Stack, error) {
	s, err := newStack(ctx)
	if Unavailable(err) && os.Getenv("REQUIRE_DOCKER") == "1" {
		return nil, fmt.Errorf("REQUIRE_DOCKER=1: %v", err) //nolint:errorlint // it must not pass for unavailable
	}
	return s, err
}

// Unavailable says whether New has failed for want of Docker.
func Unavailable(err error) bool {
	return errors.Is(err, engine.ErrNone) || errors.Is(err, ErrNoCompose)
}

func newStack(ctx context.Context) (*Stack, error) {
	eng, err := engine.Find(ctx)
	if err != nil {
		return nil, err
	}
	s := &Stack{Engine: eng, Project: "streamgauge-test-" + strings.ToLower(rand.Text()[:8])}
	if err := s.find(ctx); err != nil {
		return nil, errors.Join(err, eng.Close())
	}
	if _, err := eng.Reap(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("remove what an earlier run left: %w", err), eng.Close())
	}
	if s.claim, err = claim.New(); err != nil {
		return nil, errors.Join(err, eng.Close())
	}
	return s, nil
}

func (s *Stack) find(ctx context.Context) error {
	for _, command := range [][]string{{"docker", "compose"}, {"docker-compose"}} {
		version := exec.CommandContext(ctx, command[0], append(command[1:], "version")...)
		if out, err := version.CombinedOutput(); err == nil {
			s.Command = command
			s.Version, _, _ = strings.Cut(string(out), "\n")
			return nil
		}
	}
	return ErrNoCompose
}

// Env is the variables for compose that keep the project apart from others, in a
// folder that Label was called for. Ports are any free ones.
func (s *Stack) Env(labels string) []string {
	return []string{
		"DOCKER_HOST=" + s.Engine.Host,
		"COMPOSE_PROJECT_NAME=" + s.Project, "COMPOSE_FILE=docker-compose.yml:" + labels, "COMPOSE_PROFILES=",
		"NATS_PORT=0", "NATS_MONITOR_PORT=0", "POSTGRES_PORT=0",
		"STREAMGAUGE_CONSUMER_IMAGE=" + s.Project + "/consumer", "STREAMGAUGE_PRODUCER_IMAGE=" + s.Project + "/producer",
	}
}

// Label writes an additional compose file that labels all that is made of the
// project, and returns its path.
func (s *Stack) Label(dir string) (string, error) {
	labelled := map[string]any{"labels": engine.Labels(s.claim)}
	built := map[string]any{"labels": engine.Labels(s.claim), "build": labelled}
	text, err := json.Marshal(map[string]any{
		"services": map[string]any{"nats": labelled, "postgres": labelled, "consumer": built, "producer": built},
		"networks": map[string]any{"default": labelled},
		"volumes":  map[string]any{"nats-data": labelled, "postgres-data": labelled, "pgadmin-data": labelled},
	})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "labels.json")
	return path, os.WriteFile(path, text, 0o600)
}

// Close removes all that was made of the project.
func (s *Stack) Close(ctx context.Context) error {
	_, err := s.Engine.RemoveAll(ctx, s.claim)
	s.claim.Release()
	return errors.Join(err, s.Engine.Close())
}
