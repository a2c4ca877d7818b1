package container

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// sandboxEnv makes the test binary a process that runs a server until it is
// killed. It prints the container's name and the run's folder.
const sandboxEnv = "CONTAINER_TEST_SANDBOX"

func TestMain(m *testing.M) {
	if os.Getenv(sandboxEnv) == "" {
		os.Exit(m.Run())
	}
	s, err := Start(context.Background(), Config{Image: os.Getenv("POSTGRES_IMAGE"), Log: slog.Default()})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(s.Name())
	fmt.Println(s.dir.Path())
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = s.Close()
}

// image is what the containers of these tests are made from: the one that the
// tests module chooses, which is made on the spot where no registry is in
// reach.
func image(t *testing.T) string {
	t.Helper()
	if err := Available(t.Context()); err != nil {
		if os.Getenv("REQUIRE_DOCKER") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	if ref := os.Getenv("POSTGRES_IMAGE"); ref != "" {
		return ref
	}
	ref, err := chosen()
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

var chosen = sync.OnceValues(func() (string, error) {
	cmd := exec.Command("go", "run", "./cmd/images")
	cmd.Dir = "../../../tests"
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("choose an image: %w", err)
	}
	for line := range strings.Lines(string(out)) {
		if ref, ok := strings.CutPrefix(strings.TrimSpace(line), "POSTGRES_IMAGE="); ok {
			return ref, nil
		}
	}
	return "", fmt.Errorf("choose an image: no POSTGRES_IMAGE in %q", out)
})

func begin(t *testing.T, cfg Config) *Server {
	t.Helper()
	cfg.Log = slog.Default()
	s, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

func exec1(t *testing.T, s *Server, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func exists(t *testing.T, name string) bool {
	t.Helper()
	_, err := docker(t.Context(), nil, "container", "inspect", name)
	return err == nil
}

func TestContainer(t *testing.T) {
	s := begin(t, Config{Image: image(t)})
	exec1(t, s, "CREATE TABLE t AS SELECT 1")
	if !strings.HasPrefix(s.URL(), "postgres://postgres:") || strings.Contains(s.RedactedURL(), s.password) {
		t.Errorf("%s, redacted %s", s.URL(), s.RedactedURL())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	<-s.Done()
	if exists(t, s.Name()) {
		t.Error("Close left the container")
	}
	if _, err := os.Stat(s.dir.Path()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Close left the folder: %v", err)
	}
}

func TestDirIsReused(t *testing.T) {
	ref := image(t)
	dir := t.TempDir()
	t.Cleanup(func() {
		if os.Geteuid() == 0 {
			return
		}
		// The cluster's files belong to the container's user, not to this one.
		_, err := docker(context.Background(), nil, "run", "--rm", "--user", "0", "--entrypoint", "rm",
			"--volume", dir+"/docker:/kept", ref, "-rf", "/kept/pgdata")
		if err != nil {
			t.Error(err)
		}
	})
	first := begin(t, Config{Image: ref, Dir: dir})
	exec1(t, first, "CREATE TABLE kept AS SELECT 1")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if exists(t, first.Name()) {
		t.Error("Close left the container")
	}
	exec1(t, begin(t, Config{Image: ref, Dir: dir}), "SELECT * FROM kept")
}

func TestKilledRunIsReaped(t *testing.T) {
	ref := image(t)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), sandboxEnv+"=1", "POSTGRES_IMAGE="+ref)
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	lines := bufio.NewScanner(out)
	lines.Scan()
	name := lines.Text()
	lines.Scan()
	dir := lines.Text()
	if name == "" {
		t.Fatal("the other process did not start a server")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if !exists(t, name) {
		t.Fatal("nothing left to reap, the test shows nothing")
	}
	begin(t, Config{Image: ref})
	if exists(t, name) {
		t.Error("the dead run's container still exists")
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the dead run's folder was not removed: %v", err)
	}
}

func TestUnknownImage(t *testing.T) {
	if err := Available(t.Context()); err != nil {
		t.Skipf("needs Docker: %v", err)
	}
	t.Setenv("TMPDIR", t.TempDir())
	s, err := Start(t.Context(), Config{Image: "127.0.0.1:1/none", Log: slog.Default()})
	if err == nil {
		s.Close()
		t.Fatal("started")
	}
	if !strings.Contains(err.Error(), "127.0.0.1:1/none") {
		t.Errorf("error does not name the image: %v", err)
	}
	if list, _ := os.ReadDir(os.TempDir()); len(list) != 0 {
		t.Errorf("left %v", list)
	}
}

func TestNoDocker(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := Start(t.Context(), Config{Log: slog.Default()}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

// The version of the image stands in the compose file; this is a copy.
func TestImageIsTheComposeFiles(t *testing.T) {
	b, err := os.ReadFile("../../../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`\$\{POSTGRES_IMAGE:-([^}]+)\}`).FindSubmatch(b)
	if m == nil || string(m[1]) != Image {
		t.Errorf("docker-compose.yml has %q, this package %q", m, Image)
	}
}
