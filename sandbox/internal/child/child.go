// Package child starts processes that do not outlive this one, and ends them
// in order.
package child

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// Process is a started child. It is safe for concurrent use.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed once err is set
	err  error
}

// Start starts the command in a process group of its own, so that Ctrl-C at
// the terminal reaches only this process, which decides about its children. On
// Linux the child gets the signal onDeath when this process ends, however it
// ends; elsewhere the next run looks after it.
func Start(cmd *exec.Cmd, onDeath syscall.Signal) (*Process, error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	dieWithParent(cmd.SysProcAttr, onDeath)
	started := make(chan error)
	starter() <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		return nil, err
	}
	p := &Process{cmd: cmd, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// starter runs what it is sent on a thread that never ends: Linux takes the
// end of the thread that started a child for the parent's.
var starter = sync.OnceValue(func() chan<- func() {
	requests := make(chan func())
	go func() {
		runtime.LockOSThread()
		for start := range requests {
			start()
		}
	}()
	return requests
})

// PID is the child's process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the child has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits for the child's end and returns what exec.Cmd.Wait does.
func (p *Process) Wait() error {
	<-p.done
	return p.err
}

// State describes how the child ended. It must have.
func (p *Process) State() *os.ProcessState {
	<-p.done
	return p.cmd.ProcessState
}

// Stop sends the signals one after the other, each when the child has not
// ended for grace after the one before, SIGKILL last. A child that ended by
// itself is no error.
func (p *Process) Stop(grace time.Duration, signals ...syscall.Signal) error {
	for _, sig := range append(signals, syscall.SIGKILL) {
		if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("end %s (process %d): %w", p.cmd.Path, p.PID(), err)
		}
		timer := time.NewTimer(grace)
		select {
		case <-p.done:
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
	return fmt.Errorf("%s (process %d) does not end", p.cmd.Path, p.PID())
}
