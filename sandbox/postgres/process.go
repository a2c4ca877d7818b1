package postgres

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

const (
	// stopGrace is how long each way of asking the server to end is given
	// before the next harder one.
	stopGrace = 10 * time.Second

	// Of a log, the last lines are shown, and at most these bytes are read.
	shownLines = 5
	shownBytes = 4 << 10
)

// process is the postmaster as a child of this process.
type process struct {
	cmd  *exec.Cmd
	log  string
	from int64         // where in the log this process's lines begin
	done chan struct{} // closed when it has ended and wait is set
	wait error
}

// endedError says that the server ended without being asked to.
type endedError struct {
	state string
	log   string // last lines
}

func (e *endedError) Error() string { return "PostgreSQL ended: " + e.state + e.log }

// start runs the command with its output appended to the file log.
func start(cmd *exec.Cmd, log string) (*process, error) {
	out, err := os.OpenFile(log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	end, err := out.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = out, out
	dieWithParent(cmd.SysProcAttr)

	p := &process{cmd: cmd, log: log, from: end, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// Linux sends the death signal when the thread that started the child
		// ends, so that thread is kept for as long as the child lives.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.wait = cmd.Wait()
			close(p.done)
		}
	}()
	return p, <-started
}

// stop asks for a fast shutdown, which disconnects clients, and insists with
// an immediate one and SIGKILL. A server that had ended already is no error.
func (p *process) stop() error {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL} {
		if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("end PostgreSQL: %w", err)
		}
		timer := time.NewTimer(stopGrace)
		select {
		case <-p.done:
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
	return fmt.Errorf("PostgreSQL (process %d) does not end", p.cmd.Process.Pid)
}

// ended is why the process, which must be done, has ended.
func (p *process) ended() error {
	return &endedError{state: p.cmd.ProcessState.String(), log: p.lastLines()}
}

// lastLines is ": " and the last lines of this process's log, or "".
func (p *process) lastLines() string {
	f, err := os.Open(p.log)
	if err != nil {
		return ""
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	from := max(p.from, info.Size()-shownBytes)
	b, err := io.ReadAll(io.NewSectionReader(f, from, shownBytes))
	if err != nil {
		return ""
	}
	return lastLines(b)
}

// lastLines is ": " and the last lines of b on one line, or "".
func lastLines(b []byte) string {
	var lines []string
	for line := range bytes.Lines(b) {
		if text := strings.TrimSpace(string(line)); text != "" {
			lines = append(lines, text)
		}
	}
	if len(lines) == 0 {
		return ""
	}
	return ": " + strings.Join(lines[max(0, len(lines)-shownLines):], " | ")
}
