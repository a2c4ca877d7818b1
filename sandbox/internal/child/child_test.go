package child

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func sleeper(t *testing.T, script string) *Process {
	t.Helper()
	return begin(t, exec.Command("sh", "-c", script))
}

func begin(t *testing.T, cmd *exec.Cmd) *Process {
	t.Helper()
	p, err := Start(cmd, syscall.SIGKILL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(time.Second); err != nil {
			t.Error(err)
		}
	})
	return p
}

func TestStart(t *testing.T) {
	t.Run("in a process group of its own", func(t *testing.T) {
		p := sleeper(t, "exec sleep 60")
		group, err := syscall.Getpgid(p.PID())
		if err != nil || group != p.PID() {
			t.Errorf("group %d, %v", group, err)
		}
	})
	t.Run("what can't be started is an error", func(t *testing.T) {
		if _, err := Start(exec.Command(filepath.Join(t.TempDir(), "none")), syscall.SIGKILL); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("Wait returns the exit status", func(t *testing.T) {
		p := sleeper(t, "exit 7")
		var exit *exec.ExitError
		if err := p.Wait(); !errors.As(err, &exit) || p.State().ExitCode() != 7 {
			t.Errorf("got %v", err)
		}
	})
}

func TestStop(t *testing.T) {
	t.Run("by the first signal", func(t *testing.T) {
		p := sleeper(t, "exec sleep 60")
		if err := p.Stop(20*time.Second, syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if s := p.State().String(); !strings.Contains(s, "terminated") {
			t.Errorf("ended by %s", s)
		}
	})
	t.Run("by force when it does not listen", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "up")
		p := sleeper(t, "trap '' TERM; touch "+file+"; while :; do sleep 0.1; done")
		eventually(t, func() bool { _, err := os.Stat(file); return err == nil })
		if err := p.Stop(100*time.Millisecond, syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if s := p.State().String(); !strings.Contains(s, "killed") {
			t.Errorf("ended by %s", s)
		}
	})
	t.Run("of one that has ended", func(t *testing.T) {
		p := sleeper(t, "exit 0")
		<-p.Done()
		if err := p.Stop(time.Second, syscall.SIGTERM); err != nil {
			t.Error(err)
		}
	})
}

func TestEndNoted(t *testing.T) {
	note := filepath.Join(t.TempDir(), "note")
	end := func(t *testing.T) {
		t.Helper()
		if err := EndNoted(t.Context(), note, 20*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("cat")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	answers, stdout, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer answers.Close()
	cmd.Stdout = stdout
	p := begin(t, cmd)
	if err := stdout.Close(); err != nil {
		t.Fatal(err)
	}
	// A signal sent before takes effect before this is answered.
	alive := func() bool {
		_, _ = stdin.Write([]byte("?")) // fails where nobody is left to answer
		n, _ := answers.Read(make([]byte, 1))
		return n > 0
	}
	for name, text := range map[string]string{
		"another command line": fmt.Sprintf("%d\ncat -\n", p.PID()),
		"torn":                 "",
		"torn in the number":   "12a",
		"init":                 "1\n",
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(note, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			end(t)
			if !alive() {
				t.Error("ended a process that was not meant")
			}
		})
	}
	t.Run("no note", func(t *testing.T) {
		if err := os.Remove(note); err != nil {
			t.Fatal(err)
		}
		end(t)
	})
	t.Run("the one that was noted", func(t *testing.T) {
		if err := p.Note(note); err != nil {
			t.Fatal(err)
		}
		end(t)
		if alive() {
			t.Error("still runs")
		}
		end(t) // and again, when it is gone
	})
}

// eventually polls until ok, for at most 20 s.
func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("never happened")
		}
	}
}
