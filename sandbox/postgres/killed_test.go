package postgres

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/streamgauge/streamgauge/sandbox/internal/port"
)

// sandboxEnv makes the test binary a process that runs a server until it is
// killed. It prints the server's URL and folder.
const sandboxEnv = "POSTGRES_TEST_SANDBOX"

func TestMain(m *testing.M) {
	if os.Getenv(sandboxEnv) == "" {
		os.Exit(m.Run())
	}
	s, err := Start(context.Background(), Config{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(s.URL())
	fmt.Println(s.dir.Path())
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(1) // the test is gone; the server's death signal does the rest
}

type killable struct {
	cmd      *exec.Cmd
	url, dir string
}

// elsewhere runs a server in another process, in this TMPDIR.
func elsewhere(t *testing.T) killable {
	t.Helper()
	k := killable{cmd: exec.Command(os.Args[0])}
	k.cmd.Env = append(os.Environ(), sandboxEnv+"=1")
	k.cmd.Stderr = os.Stderr
	if _, err := k.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := k.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := k.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = k.cmd.Process.Kill()
		_ = k.cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	for _, into := range []*string{&k.url, &k.dir} {
		if !lines.Scan() {
			t.Fatal("the other process did not start a server")
		}
		*into = lines.Text()
	}
	return k
}

func (k killable) kill(t *testing.T) {
	t.Helper()
	if err := k.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = k.cmd.Wait()
}

func answers(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// eventually polls until ok, for at most 20 s.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("never happened: %s", what)
		}
	}
}

func TestKilledRunIsReaped(t *testing.T) {
	t.Setenv("TMPDIR", folder(t))
	living := elsewhere(t)
	dead := elsewhere(t)
	dead.kill(t)
	if runtime.GOOS == "linux" {
		eventually(t, "the server ends with its killed parent", func() bool { return answers(dead.url) != nil })
	}
	if _, err := os.Stat(dead.dir); err != nil {
		t.Fatalf("nothing left to reap, the test shows nothing: %v", err)
	}
	begin(t, Config{})
	if _, err := os.Stat(dead.dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the dead run's folder was not removed: %v", err)
	}
	if err := answers(living.url); err != nil {
		t.Errorf("the living run was touched: %v", err)
	}
}

// orphan serves the folder that a dead run left, by a process that no one
// looks after, and returns its URL.
func orphan(t *testing.T, dir string) string {
	t.Helper()
	data := filepath.Join(dir, "data")
	eventually(t, "the dead run's own server ends", func() bool {
		_, err := os.Stat(filepath.Join(data, "postmaster.pid"))
		return errors.Is(err, fs.ErrNotExist)
	})
	info, err := os.Stat(data)
	if err != nil {
		t.Fatal(err)
	}
	bin, err := Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	number, err := port.Free(host)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(bin.Dir, "postgres"), arguments(data, number, nil)...)
	cmd.Dir = dir
	cmd.Env = environment()
	cmd.SysProcAttr = owner(info).attributes()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGQUIT)
		<-ended
	})
	b, err := os.ReadFile(filepath.Join(dir, "password"))
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{password: strings.TrimSpace(string(b)), port: number}
	eventually(t, "the orphan serves", func() bool { return answers(s.URL()) == nil })
	return s.URL()
}

func TestOrphanOfAKilledRunIsEnded(t *testing.T) {
	t.Setenv("TMPDIR", folder(t))
	k := elsewhere(t)
	k.kill(t)
	url := orphan(t, k.dir)
	begin(t, Config{})
	if answers(url) == nil {
		t.Error("the orphan still serves")
	}
	if _, err := os.Stat(k.dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the dead run's folder was not removed: %v", err)
	}
}

func TestOrphanInAKeptFolderIsEnded(t *testing.T) {
	dir := folder(t)
	if err := begin(t, Config{Dir: dir}).Close(); err != nil {
		t.Fatal(err)
	}
	url := orphan(t, dir)
	s := begin(t, Config{Dir: dir})
	if answers(url) == nil {
		t.Error("the orphan still serves")
	}
	query(t, s, "SELECT 'up'")
}

// A pid file that names a process which is no server of that folder, as after
// a reboot, must not cost that process its life.
func TestForeignProcessIsNotEnded(t *testing.T) {
	dir := folder(t)
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("cat")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	pid := fmt.Sprintf("%d\n%s\n", cmd.Process.Pid, data)
	if err := os.WriteFile(filepath.Join(data, "postmaster.pid"), []byte(pid), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := endOrphan(t.Context(), data); err != nil {
		t.Fatal(err)
	}
	// A signal sent before would take effect before this is answered.
	_, _ = stdin.Write([]byte("?")) // fails where nobody is left to answer
	if n, err := stdout.Read(make([]byte, 1)); n == 0 {
		t.Errorf("a process that is no server was ended: %v", err)
	}
}

// A postmaster killed under its sandbox is noticed, and the folder serves again.
func TestServerKilled(t *testing.T) {
	dir := folder(t)
	s := begin(t, Config{Dir: dir})
	if err := syscall.Kill(s.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-s.Done()
	if err := s.Err(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("Err: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	query(t, begin(t, Config{Dir: dir}), "SELECT 'up'")
}
