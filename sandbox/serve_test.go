package main

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/streamgauge/streamgauge/sandbox/internal/serve"
)

// sandbox is a ready one.
type sandbox struct {
	*process
	serve.Addresses
}

func ready(t *testing.T, s settings, args ...string) sandbox {
	t.Helper()
	p := begin(t, s, append([]string{"--output", "json"}, args...)...)
	eventually(t, "the sandbox is ready", func() bool {
		select {
		case <-p.done:
			t.Fatal("it ended")
		default:
		}
		return strings.HasSuffix(p.stdout.String(), "\n")
	})
	b := sandbox{process: p}
	if err := json.Unmarshal([]byte(p.stdout.String()), &b.Addresses); err != nil {
		t.Fatal(err)
	}
	return b
}

// exec1 runs one statement.
func (b sandbox) exec1(t *testing.T, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), b.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func answers(dsn string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	return err == nil && conn.Close(ctx) == nil
}

func (b sandbox) stream(t *testing.T) jetstream.JetStream {
	t.Helper()
	conn, err := nats.Connect(b.NATSURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

func (b sandbox) end(t *testing.T, sig syscall.Signal) {
	t.Helper()
	b.signal(t, sig)
	if code := b.code(t); code != exitDone {
		t.Errorf("exit %d after %s", code, sig)
	}
	if answers(b.DatabaseURL) {
		t.Error("PostgreSQL still answers")
	}
	if conn, err := nats.Connect(b.NATSURL); err == nil {
		conn.Close()
		t.Error("NATS still answers")
	}
}

func TestServe(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(sig.String(), func(t *testing.T) {
			tmp := folder(t)
			b := ready(t, settings{env: []string{"TMPDIR=" + tmp}})
			b.exec1(t, "CREATE TABLE t (a int)")
			if _, err := b.stream(t).CreateStream(t.Context(), jetstream.StreamConfig{Name: "S", Storage: jetstream.FileStorage}); err != nil {
				t.Error(err)
			}
			if b.Persistent || b.PID != b.cmd.Process.Pid || b.Postgres != "binaries" {
				t.Errorf("said %+v", b.Addresses)
			}
			b.end(t, sig)
			leaves(t, tmp)
			if text := b.stderr.String(); text != "" {
				t.Errorf("said %q", text)
			}
		})
	}
}

func TestEnvFile(t *testing.T) {
	b := ready(t, settings{})
	info, err := os.Stat(b.EnvFile)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %s", info.Mode())
	}
	out, err := exec.Command("sh", "-c", `. "$1"; echo "$NATS_URL $DATABASE_URL"`, "sh", b.EnvFile).Output()
	if err != nil {
		t.Fatal(err)
	}
	if want := b.NATSURL + " " + b.DatabaseURL + "\n"; string(out) != want {
		t.Errorf("a shell reads %q, want %q", out, want)
	}
}

func TestText(t *testing.T) {
	for name, args := range map[string][]string{"masked": nil, "shown": {"--show-password"}} {
		t.Run(name, func(t *testing.T) {
			tmp := folder(t)
			p := begin(t, settings{env: []string{"TMPDIR=" + tmp, "HOME=" + tmp}}, args...)
			eventually(t, "it tells how to go on", func() bool { return strings.Contains(p.stdout.String(), "Ctrl-C") })
			text := p.stdout.String()
			for _, want := range []string{"nats://127.0.0.1:", "postgres://postgres:", "temporary", `sandbox env)"`, "consumer", "producer", "--file data/2012-1.csv"} {
				if !strings.Contains(text, want) {
					t.Errorf("does not say %q", want)
				}
			}
			if masked := strings.Contains(text, "postgres:xxxxx@"); masked != (args == nil) {
				t.Error("the password is masked without --show-password, and only then")
			}
		})
	}
}

func TestEnv(t *testing.T) {
	tmp := folder(t)
	env := settings{env: []string{"TMPDIR=" + tmp}}
	asks := func(code int, stdout string, stderr ...string) {
		t.Helper()
		p := begin(t, env, "env")
		if got := p.code(t); got != code || p.stdout.String() != stdout {
			t.Errorf("exit %d, printed %q; want %d, %q", got, p.stdout.String(), code, stdout)
		}
		for _, want := range stderr {
			if !strings.Contains(p.stderr.String(), want) {
				t.Errorf("said %q, without %q", p.stderr.String(), want)
			}
		}
	}
	asks(exitFailed, "", "no sandbox is running")
	a := ready(t, env)
	text, err := os.ReadFile(a.EnvFile)
	if err != nil {
		t.Fatal(err)
	}
	asks(exitDone, string(text))
	b := ready(t, env)
	asks(exitFailed, "", "2 sandboxes are running", "source "+a.EnvFile, "source "+b.EnvFile)
	a.end(t, syscall.SIGTERM)
	if text, err = os.ReadFile(b.EnvFile); err != nil {
		t.Fatal(err)
	}
	asks(exitDone, string(text))
}

func TestTwoAtOnce(t *testing.T) {
	tmp := folder(t)
	env := settings{env: []string{"TMPDIR=" + tmp}}
	a, b := ready(t, env), ready(t, env)
	if a.NATSURL == b.NATSURL || a.DatabaseURL == b.DatabaseURL {
		t.Fatalf("the same: %+v, %+v", a.Addresses, b.Addresses)
	}
	b.end(t, syscall.SIGTERM)
	a.exec1(t, "SELECT 1")
	a.stream(t)
	a.end(t, syscall.SIGTERM)
	leaves(t, tmp)
}

func TestKeep(t *testing.T) {
	tmp, keep := folder(t), filepath.Join(folder(t), "new", "with a space")
	env := settings{env: []string{"TMPDIR=" + tmp}}
	first := ready(t, env, "--keep", keep)
	if !first.Persistent {
		t.Error("says that the data does not persist")
	}
	first.exec1(t, "CREATE TABLE kept (a int)")
	js := first.stream(t)
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}, Storage: jetstream.FileStorage}); err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), "s", []byte("kept")); err != nil {
		t.Fatal(err)
	}

	t.Run("not by two at once", func(t *testing.T) {
		p := begin(t, env, "--keep", keep)
		if code := p.code(t); code != exitFailed {
			t.Errorf("exit %d", code)
		}
		if !strings.Contains(p.message(t), "in use") {
			t.Error("does not say why")
		}
	})
	for _, how := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		first.signal(t, how)
		first.code(t)
		first = ready(t, env, "--keep", keep)
		first.exec1(t, "SELECT a FROM kept")
		stream, err := first.stream(t).Stream(t.Context(), "S")
		if err != nil {
			t.Fatalf("after %s: %v", how, err)
		}
		if n := stream.CachedInfo().State.Msgs; n != 1 {
			t.Errorf("after %s: %d messages, want 1", how, n)
		}
	}
	first.end(t, syscall.SIGTERM)
	if _, err := os.Stat(first.EnvFile); err == nil {
		t.Error("the addresses of the ended servers are still there")
	}
	leaves(t, tmp)
}

func TestKilledRunIsReaped(t *testing.T) {
	tmp := folder(t)
	env := settings{env: []string{"TMPDIR=" + tmp}}
	dead, living := ready(t, env), ready(t, env)
	dead.signal(t, syscall.SIGKILL)
	dead.code(t)
	if runtime.GOOS == "linux" {
		eventually(t, "PostgreSQL ends with the killed sandbox", func() bool { return !answers(dead.DatabaseURL) })
	}
	next := ready(t, env)
	if answers(dead.DatabaseURL) {
		t.Error("the killed run's PostgreSQL still answers")
	}
	living.exec1(t, "SELECT 1")
	living.stream(t)
	next.end(t, syscall.SIGTERM)
	living.end(t, syscall.SIGTERM)
	leaves(t, tmp)
}

func TestPortTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	for _, flag := range []string{"--nats-port", "--postgres-port"} {
		t.Run(flag, func(t *testing.T) {
			tmp := folder(t)
			p := begin(t, settings{env: []string{"TMPDIR=" + tmp}}, flag, port)
			if code := p.code(t); code != exitFailed {
				t.Errorf("exit %d", code)
			}
			if m := p.message(t); !strings.Contains(m, port) || !strings.Contains(m, "taken") || !strings.Contains(m, flag) {
				t.Errorf("no port, cause or remedy in %q", m)
			}
			leaves(t, tmp)
		})
	}
}

func TestGivenPorts(t *testing.T) {
	var ports []string
	for range 2 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ports = append(ports, strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	b := ready(t, settings{}, "--nats-port", ports[0], "--postgres-port", ports[1])
	if !strings.HasSuffix(b.NATSURL, ":"+ports[0]) || !strings.Contains(b.DatabaseURL, ":"+ports[1]+"/") {
		t.Errorf("got %+v, want ports %v", b.Addresses, ports)
	}
}

func TestInterruptedStart(t *testing.T) {
	tmp := folder(t)
	p := begin(t, settings{env: []string{"TMPDIR=" + tmp}})
	eventually(t, "it has begun", func() bool {
		names, err := filepath.Glob(filepath.Join(tmp, "streamgauge-postgres-*", "data*"))
		return err == nil && len(names) > 0
	})
	p.signal(t, syscall.SIGINT)
	if code := p.code(t); code != exitInterrupted {
		t.Errorf("exit %d", code)
	}
	leaves(t, tmp)
}

func TestPostgresDies(t *testing.T) {
	tmp := folder(t)
	b := ready(t, settings{env: []string{"TMPDIR=" + tmp}})
	files, err := filepath.Glob(filepath.Join(tmp, "streamgauge-postgres-*", "data", "postmaster.pid"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if code := b.code(t); code != exitFailed {
		t.Errorf("exit %d", code)
	}
	if !strings.Contains(b.message(t), "PostgreSQL ended") {
		t.Error("does not say why")
	}
	leaves(t, tmp)
}
