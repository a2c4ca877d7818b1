package compose_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/tests/checkout"
	"github.com/streamgauge/streamgauge/tests/compose/stack"
	"github.com/streamgauge/streamgauge/tests/images"
)

// commandTime bounds one compose command, image builds and health checks
// included.
const commandTime = 5 * time.Minute

// composed is the compose file brought up under a name of its own, from a copy of
// what it needs of the checkout.
type composed struct {
	*stack.Stack

	dir string
	env []string
}

// newStack prepares a stack, and takes care that nothing of it is left after
// the test.
func newStack(t *testing.T) *composed {
	t.Helper()
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	prepared, err := stack.New(t.Context())
	if stack.Unavailable(err) {
		t.Skipf("compose needs Docker: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %s", strings.Join(prepared.Command, " "), prepared.Version)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), commandTime)
		defer cancel()
		if err := prepared.Close(ctx); err != nil {
			t.Errorf("remove the stack: %v", err)
		}
	})
	set, err := images.Resolve(t.Context(), root, prepared.Engine)
	if err != nil {
		t.Fatal(err)
	}
	s := &composed{Stack: prepared, dir: t.TempDir()}
	labels, err := s.Label(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	s.env = append(append(os.Environ(), s.Env(labels)...),
		"NATS_IMAGE="+set.NATS.Ref, "POSTGRES_IMAGE="+set.Postgres.Ref,
		"POSTGRES_PASSWORD=a b$c'd\"e/%@", "STREAMGAUGE_TARGET_SUFFIX=-prebuilt")
	s.copyProject(t, root)
	return s
}

// copyProject lays out what compose reads, with binaries built for the
// engine's containers.
func (s *composed) copyProject(t *testing.T, root string) {
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
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+s.Engine.Arch, "GOWORK="+filepath.Join(root, "go.work"))
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(build.Args, " "), err, out)
	}
}

func (s *composed) write(t *testing.T, name string, text []byte) {
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
func (s *composed) run(t *testing.T, stdin io.Reader, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), commandTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.Command[0], append(s.Command[1:], args...)...)
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
func (s *composed) succeeds(t *testing.T, args ...string) result {
	t.Helper()
	got := s.run(t, nil, args...)
	if got.code != 0 {
		t.Fatalf("compose %s: exit code %d\n%s\n%s\n%s", strings.Join(args, " "), got.code, got.stdout, got.stderr, s.logs(t))
	}
	return got
}

func (s *composed) logs(t *testing.T) string {
	t.Helper()
	got := s.run(t, nil, "logs", "--no-color", "--tail", "40")
	return got.stdout + got.stderr
}
