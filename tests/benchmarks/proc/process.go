// Package proc runs the measured programs and reads what they cost from /proc.
package proc

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// stopGrace is how long a process may take to end after SIGTERM.
const stopGrace = 10 * time.Second

// Process is a program that runs until it ends, is stopped, or this process
// dies. It is safe for concurrent use.
type Process struct {
	name  string
	cmd   *exec.Cmd
	said  *said
	ended chan struct{} // closed once err is set
	err   error
}

// Start runs a program with nothing of this process's environment but env and
// PATH. Name is what errors call it.
func Start(name, path string, env []string, args ...string) (*Process, error) {
	cmd := exec.Command(path, args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir()}, env...)
	p := &Process{name: name, cmd: cmd, said: newSaid(), ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.said, p.said
	// Ctrl-C at the terminal reaches this process alone, which ends the others.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := spawn(cmd); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// PID is its process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Ended is closed when the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Lines returns the lines it writes on either output from its start on, as long
// as they fit the channel's buffer.
func (p *Process) Lines() <-chan string { return p.said.lines }

// Wait waits for the end; an exit code other than 0 is an error that holds what
// the process said last.
func (p *Process) Wait() error {
	<-p.ended
	if p.err == nil {
		return nil
	}
	return p.failure()
}

// Used is the user and system time of the process, which must have ended.
func (p *Process) Used() time.Duration {
	<-p.ended
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
}

// Unexpected is the error of a process that ended while it was needed.
func (p *Process) Unexpected() error {
	<-p.ended
	if p.err == nil {
		return fmt.Errorf("%s ended by itself:\n%s", p.name, p.said)
	}
	return p.failure()
}

func (p *Process) failure() error {
	return fmt.Errorf("%s: %w:\n%s", p.name, p.err, p.said)
}

// Stop ends the process by SIGTERM, or by SIGKILL when it does not listen. One
// that ended with a failure is an error.
func (p *Process) Stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", p.name, err)
	}
	timer := time.NewTimer(stopGrace)
	defer timer.Stop()
	select {
	case <-p.ended:
	case <-timer.C:
		err := p.cmd.Process.Kill()
		<-p.ended
		return errors.Join(fmt.Errorf("%s did not end within %s of SIGTERM", p.name, stopGrace), err)
	}
	if exit, is := errors.AsType[*exec.ExitError](p.err); is {
		status, ok := exit.Sys().(syscall.WaitStatus)
		if ok && status.Signaled() && status.Signal() == syscall.SIGTERM {
			return nil
		}
	}
	if p.err != nil {
		return p.failure()
	}
	return nil
}

// Run runs a program to its end and returns what it wrote.
func Run(name, path string, env []string, args ...string) (string, error) {
	p, err := Start(name, path, env, args...)
	if err != nil {
		return "", err
	}
	if err := p.Wait(); err != nil {
		return "", err
	}
	return strings.TrimSpace(p.said.String()), nil
}
