package compose_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/tests/checkout"
	"github.com/streamgauge/streamgauge/tests/claim"
	"github.com/streamgauge/streamgauge/tests/engine"
	"github.com/streamgauge/streamgauge/tests/images"
)

// commandTime bounds one compose command, image builds and health checks
// included.
const commandTime = 5 * time.Minute

// stack is the compose file brought up under a name of its own, from a copy of
// what it needs of the checkout.
type stack struct {
	engine  *engine.Engine
	claim   *claim.Claim
	compose []string // the command
	dir     string
	project string
	env     []string
}

// newStack prepares a stack, and takes care that nothing of it is left after
// the test.
func newStack(t *testing.T) *stack {
	t.Helper()
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	eng, err := engine.Find(t.Context())
	if errors.Is(err, engine.ErrNone) && os.Getenv("REQUIRE_DOCKER") != "1" {
		t.Skipf("compose needs Docker: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = eng.Close() })
	if _, err := eng.Reap(t.Context()); err != nil {
		t.Logf("could not remove what an earlier run left: %v", err)
	}
	set, err := images.Resolve(t.Context(), root, eng)
	if err != nil {
		t.Fatal(err)
	}
	run, err := claim.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(run.Release)

	project := "streamgauge-test-" + strings.ToLower(rand.Text()[:8])
	s := &stack{
		engine: eng, claim: run, compose: findCompose(t), dir: t.TempDir(), project: project,
		env: append(os.Environ(),
			"DOCKER_HOST="+eng.Host,
			"COMPOSE_PROJECT_NAME="+project, "COMPOSE_FILE=docker-compose.yml:labels.json", "COMPOSE_PROFILES=",
			"NATS_IMAGE="+set.NATS.Ref, "POSTGRES_IMAGE="+set.Postgres.Ref,
			"NATS_PORT=0", "NATS_MONITOR_PORT=0", "POSTGRES_PORT=0",
			"POSTGRES_PASSWORD=a b$c'd\"e/%@",
			"STREAMGAUGE_TARGET_SUFFIX=-prebuilt",
			"STREAMGAUGE_CONSUMER_IMAGE="+project+"/consumer", "STREAMGAUGE_PRODUCER_IMAGE="+project+"/producer"),
	}
	s.copyProject(t, root)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), commandTime)
		defer cancel()
		if _, err := eng.RemoveAll(ctx, run); err != nil {
			t.Errorf("remove the stack: %v", err)
		}
	})
	return s
}

// findCompose returns the compose command of this machine: the plugin, else
// the older program.
func findCompose(t *testing.T) []string {
	t.Helper()
	for _, command := range [][]string{{"docker", "compose"}, {"docker-compose"}} {
		version := exec.CommandContext(t.Context(), command[0], append(command[1:], "version")...)
		if out, err := version.CombinedOutput(); err == nil {
			first, _, _ := strings.Cut(string(out), "\n")
			t.Logf("%s: %s", strings.Join(command, " "), first)
			return command
		}
	}
	if os.Getenv("REQUIRE_DOCKER") == "1" {
		t.Fatal("neither docker compose nor docker-compose is installed")
	}
	t.Skip("neither docker compose nor docker-compose is installed")
	return nil
}

// copyProject lays out what compose reads, with binaries built for the
// engine's containers, beside an additional compose file that labels all that
// is made of it.
func (s *stack) copyProject(t *testing.T, root string) {
	t.Helper()
	for _, name := range []string{"docker-compose.yml", "Dockerfile", ".dockerignore", "LICENSE"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		s.write(t, name, text)
	}
	if err := os.CopyFS(filepath.Join(s.dir, "sandbox", "data"), os.DirFS(filepath.Join(root, "sandbox", "data"))); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w",
		"-o", filepath.Join(s.dir, "bin")+string(filepath.Separator), "./producer", "./consumer")
	build.Dir = root
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+s.engine.Arch, "GOWORK="+filepath.Join(root, "go.work"))
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(build.Args, " "), err, out)
	}

	labelled := map[string]any{"labels": engine.Labels(s.claim)}
	built := map[string]any{"labels": engine.Labels(s.claim), "build": labelled}
	labels, err := json.Marshal(map[string]any{
		"services": map[string]any{"nats": labelled, "postgres": labelled, "consumer": built, "producer": built},
		"networks": map[string]any{"default": labelled},
		"volumes":  map[string]any{"nats-data": labelled, "postgres-data": labelled, "pgadmin-data": labelled},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, "labels.json", labels)
}

func (s *stack) write(t *testing.T, name string, text []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// result is a compose command that has ended.
type result struct {
	code           int
	stdout, stderr string
}

// run runs a compose command to its end.
func (s *stack) run(t *testing.T, stdin io.Reader, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), commandTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.compose[0], append(s.compose[1:], args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = s.dir, s.env, stdin, &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("compose %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return result{code: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}
}

// succeeds runs a compose command that must exit with 0.
func (s *stack) succeeds(t *testing.T, args ...string) result {
	t.Helper()
	got := s.run(t, nil, args...)
	if got.code != 0 {
		t.Fatalf("compose %s: exit code %d\n%s\n%s\n%s", strings.Join(args, " "), got.code, got.stdout, got.stderr, s.logs(t))
	}
	return got
}

func (s *stack) logs(t *testing.T) string {
	t.Helper()
	got := s.run(t, nil, "logs", "--no-color", "--tail", "40")
	return got.stdout + got.stderr
}
