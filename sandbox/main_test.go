package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"
)

// selfEnv makes the test binary the sandbox itself.
const selfEnv = "SANDBOX_TEST_SELF"

func TestMain(m *testing.M) {
	if genuine := os.Getenv(tamperEnv); genuine != "" && filepath.Base(os.Args[0]) == "consumer" {
		fmt.Fprintln(os.Stderr, tamper(genuine))
		os.Exit(1)
	}
	if os.Getenv(selfEnv) != "" {
		main()
	}
	code := m.Run()
	for _, dir := range made {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// output collects what a process writes while it runs.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// process is a sandbox as users run it.
type process struct {
	cmd            *exec.Cmd
	stdout, stderr output
	done           chan struct{}
}

// settings of a process; the zero value is none.
type settings struct {
	env []string
	dir string
	uid uint32 // run as that user
	exe string // default: the test binary
}

// begin starts the sandbox. What it leaves in TMPDIR the test has to look at.
func begin(t *testing.T, s settings, args ...string) *process {
	t.Helper()
	if s.exe == "" {
		s.exe = os.Args[0]
	}
	p := &process{cmd: exec.Command(s.exe, args...), done: make(chan struct{})}
	p.cmd.Dir = s.dir
	p.cmd.Env = append(os.Environ(), append([]string{selfEnv + "=1", "DATABASE_URL=", "NATS_URL="}, s.env...)...)
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if s.uid != 0 {
		p.cmd.SysProcAttr.Credential = &syscall.Credential{Uid: s.uid, Gid: s.uid}
	}
	// Children that outlive a killed sandbox hold its output open.
	p.cmd.WaitDelay = time.Second
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.done:
		case <-time.After(30 * time.Second):
			_ = p.cmd.Process.Kill()
			t.Error("the sandbox does not end")
		}
		if t.Failed() {
			t.Logf("sandbox %s\nstdout:\n%s\nstderr:\n%s", strings.Join(args, " "), &p.stdout, &p.stderr)
		}
	})
	return p
}

// code waits for the end and returns the exit code, -1 after a signal.
func (p *process) code(t *testing.T) int {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(60 * time.Second):
		t.Fatal("still runs")
	}
	return p.cmd.ProcessState.ExitCode()
}

func (p *process) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// message is the one line on standard error.
func (p *process) message(t *testing.T) string {
	t.Helper()
	text := p.stderr.String()
	if strings.Count(text, "\n") != 1 || !strings.HasPrefix(text, "sandbox: ") {
		t.Errorf("not one line of the sandbox's: %q", text)
	}
	return text
}

// folder is a fresh folder that every user may enter and write to; the one above
// t.TempDir's is closed to others.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sandboxtest-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	return dir
}

// leaves fails when the folder, a sandbox's TMPDIR, is not empty.
func leaves(t *testing.T, tmp string) {
	t.Helper()
	entries, err := os.ReadDir(tmp)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		t.Errorf("left behind: %s", e.Name())
	}
}

// eventually polls until ok, for at most 30 s.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("never happened: %s", what)
		}
	}
}

func TestUsage(t *testing.T) {
	for name, args := range map[string][]string{
		"unknown flag":         {"--nonsense"},
		"unknown command":      {"nonsense"},
		"port of no number":    {"--nats-port", "x"},
		"port too large":       {"--postgres-port", "65536"},
		"output":               {"--output", "xml"},
		"negative rows":        {"gen", "--rows", "-1"},
		"samples and rows":     {"gen", "--samples", "x", "--rows", "1"},
		"argument to gen":      {"gen", "x"},
		"argument to demo":     {"demo", "x"},
		"unknown flag of demo": {"demo", "--rows", "1"},
		"flag of the root":     {"gen", "--nats-port", "1"},
		"flag before command":  {"--keep", "x", "gen", "--rows", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			p := begin(t, settings{}, args...)
			if code := p.code(t); code != exitUsage {
				t.Errorf("exit %d", code)
			}
			if !strings.Contains(p.stderr.String(), "See 'sandbox") || !strings.HasSuffix(p.stderr.String(), " --help'\n") {
				t.Error("does not point to the help")
			}
		})
	}
}

func TestVersionAndHelp(t *testing.T) {
	for flag, want := range map[string]string{"--version": "sandbox " + version, "--help": "sandbox demo"} {
		p := begin(t, settings{}, flag)
		if code := p.code(t); code != exitDone || !strings.Contains(p.stdout.String(), want) {
			t.Errorf("%s: exit %d", flag, code)
		}
	}
}

// TestHelpFits: of every command there is, it fits a terminal of 80 columns and
// opens with examples.
func TestHelpFits(t *testing.T) {
	var visit func(path ...string)
	visit = func(path ...string) {
		p := begin(t, settings{}, append(path, "--help")...)
		if code := p.code(t); code != exitDone {
			t.Fatalf("%q: exit %d", path, code)
		}
		text := p.stdout.String()
		if shell := len(path) == 2; !shell && !strings.Contains(strings.SplitN(text, "Usage:", 2)[0], "Examples:\n") {
			t.Errorf("%q: no examples come first", path)
		}
		for line := range strings.Lines(text) {
			if wide := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); wide > 80 {
				t.Errorf("%q: %d columns: %s", path, wide, line)
			}
		}
		_, commands, _ := strings.Cut(text, "\nCommands:\n")
		commands, _, _ = strings.Cut(commands, "\n\n")
		for line := range strings.Lines(commands) {
			if name, rest, found := strings.Cut(strings.TrimPrefix(line, "  "), " "); found && name != "" && rest != "" {
				visit(append(slices.Clip(path), name)...)
			}
		}
		if len(path) == 0 && strings.Count(commands, "\n") < 4 {
			t.Errorf("only these commands are listed:\n%s", commands)
		}
	}
	visit()
}

func TestGen(t *testing.T) {
	dir := t.TempDir()
	t.Run("to standard output and to a file alike", func(t *testing.T) {
		p := begin(t, settings{}, "gen", "--rows", "1000", "--seed", "5")
		file := filepath.Join(dir, "a.csv")
		q := begin(t, settings{}, "gen", "--rows", "1000", "--seed", "5", "--output", file)
		if p.code(t) != exitDone || q.code(t) != exitDone {
			t.Fatal("failed")
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if string(b) != p.stdout.String() || bytes.Count(b, []byte("\n")) != 1000 {
			t.Errorf("%d bytes in the file, %d on standard output", len(b), len(p.stdout.String()))
		}
	})
	t.Run("samples", func(t *testing.T) {
		p := begin(t, settings{}, "gen", "--samples", filepath.Join(dir, "s"))
		if p.code(t) != exitDone {
			t.Fatal("failed")
		}
		made, err := os.ReadFile(filepath.Join(dir, "s", "validation.csv"))
		if err != nil {
			t.Fatal(err)
		}
		kept, err := os.ReadFile("data/validation.csv")
		if err != nil || !bytes.Equal(made, kept) {
			t.Errorf("not the committed file: %v", err)
		}
	})
	t.Run("interrupted", func(t *testing.T) {
		file := filepath.Join(dir, "big.csv")
		p := begin(t, settings{}, "gen", "--rows", "9000000000000", "--output", file)
		eventually(t, "it writes", func() bool {
			names, err := filepath.Glob(filepath.Join(dir, ".big.csv-*"))
			return err == nil && len(names) == 1
		})
		p.signal(t, syscall.SIGINT)
		if code := p.code(t); code != exitInterrupted {
			t.Errorf("exit %d", code)
		}
		if names, _ := filepath.Glob(filepath.Join(dir, "*big.csv*")); len(names) != 0 {
			t.Errorf("left %v", names)
		}
	})
	t.Run("no such folder", func(t *testing.T) {
		p := begin(t, settings{}, "gen", "--output", filepath.Join(dir, "none", "a.csv"))
		if code := p.code(t); code != exitFailed {
			t.Errorf("exit %d", code)
		}
		p.message(t)
	})
	t.Run("a reader that leaves ends it", func(t *testing.T) {
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(os.Args[0], "gen", "--rows", "9000000000000")
		cmd.Env = append(os.Environ(), selfEnv+"=1")
		cmd.Stdout = write
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		_ = write.Close()
		if _, err := io.CopyN(io.Discard, read, 100); err != nil {
			t.Error(err)
		}
		_ = read.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
		defer stop()
		var exit *exec.ExitError
		if err := cmd.Wait(); !errors.As(err, &exit) || ctx.Err() != nil {
			t.Errorf("got %v", err)
		}
	})
}
