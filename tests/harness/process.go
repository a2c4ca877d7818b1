package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// runTime bounds a program that is run to its end, unless Command.Limit
	// says otherwise. It is no promise: it ends what hangs.
	runTime = 5 * time.Minute
	// readyLine marks the consumer's line that says it takes in messages.
	readyLine = "ready"
	// consumerReadyTime is how long that line may take to come.
	consumerReadyTime = 2 * time.Minute
	// terminateTime is how long a program may take to end after a signal that
	// asks it to.
	terminateTime = 20 * time.Second
	// outputWait bounds the wait for output after a process has ended.
	outputWait = 5 * time.Second
	// reportedLines is how many lines of output a failed test shows.
	reportedLines = 120
	// raceReport begins each report of the race detector.
	raceReport = "WARNING: DATA RACE"
)

// Command is a program to run in an environment.
type Command struct {
	// Program is producer, consumer, or the path of any other.
	Program string
	Args    []string
	// Through is the beginning of a command line that runs the program, such as
	// nsenter's.
	Through []string
	// Env is added to the environment's variables and wins over them.
	Env []string
	// Stdin is empty when nil.
	Stdin io.Reader
	// Dir is the working directory; by default that of the test.
	Dir string
	// Limit is how long Run lets it run; 0 means five minutes.
	Limit time.Duration
	// Columns is how wide the terminal is on which it runs, with standard input,
	// output and error all there; 0 means on none. What it shows is in Stdout.
	Columns int
}

// Result is a process that has ended.
type Result struct {
	// Code is the exit code, -1 if a signal ended it.
	Code   int
	Signal syscall.Signal
	Stdout string
	Stderr string
	// Took is the time from start to end.
	Took time.Duration
	// MaxRSS is the most memory it has had resident, in bytes.
	MaxRSS int64

	name string
}

// Exits fails the test unless the process ended with that exit code.
func (r Result) Exits(t testing.TB, code int) Result {
	t.Helper()
	if r.Code != code {
		t.Fatalf("%s: exit code %d (signal %v), want %d\nstdout:\n%s\nstderr:\n%s",
			r.name, r.Code, r.Signal, code, r.Stdout, r.Stderr)
	}
	return r
}

// Process is a running program. Its methods may be called concurrently.
type Process struct {
	cmd            *exec.Cmd
	name           string
	began          time.Time
	stdout, stderr *capture
	terminal       *os.File      // of a program that runs on one
	spawned        func()        // called once it has been started, or has not
	shown          chan struct{} // closed when all that it showed is in stdout
	exited         chan struct{} // closed when result is set
	result         Result
}

// Producer runs the producer to its end.
func (e *Env) Producer(t testing.TB, args ...string) Result {
	t.Helper()
	return e.Run(t, Command{Program: producer, Args: args})
}

// StartProducer starts the producer and leaves it running.
func (e *Env) StartProducer(t testing.TB, args ...string) *Process {
	t.Helper()
	return e.Start(t, Command{Program: producer, Args: args})
}

// Consumer runs a command of the consumer that ends by itself, such as stats.
func (e *Env) Consumer(t testing.TB, args ...string) Result {
	t.Helper()
	return e.Run(t, Command{Program: consumer, Args: args})
}

// StartConsumer starts the consumer and waits until it takes in messages.
func (e *Env) StartConsumer(t testing.TB, args ...string) *Process {
	t.Helper()
	p := e.Start(t, Command{Program: consumer, Args: args})
	p.WaitFor(t, readyLine, consumerReadyTime)
	return p
}

// Program returns the path of a program under test, for a shell to run.
func (e *Env) Program(t testing.TB, name string) string {
	t.Helper()
	path, err := e.session.binaries.path(e.session.ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Run runs a program to its end.
func (e *Env) Run(t testing.TB, c Command) Result {
	t.Helper()
	limit := c.Limit
	if limit == 0 {
		limit = runTime
	}
	return e.Start(t, c).WaitWithin(t, limit)
}

// Start starts a program. It is killed at the end of the test if it still
// runs. If the test fails, what it has written is logged; if it reported a
// data race, the test fails.
func (e *Env) Start(t testing.TB, c Command) *Process {
	t.Helper()
	program, err := e.session.binaries.path(e.session.ctx, c.Program)
	if err != nil {
		t.Fatal(err)
	}
	line := slices.Concat(c.Through, []string{program}, c.Args)
	p := &Process{
		cmd:    exec.Command(line[0], line[1:]...),
		name:   strings.Join(append([]string{c.Program}, c.Args...), " "),
		stdout: newCapture(), stderr: newCapture(),
		exited: make(chan struct{}),
	}
	p.cmd.Env = append(e.Environ(), c.Env...)
	p.cmd.Dir = c.Dir
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = c.Stdin, p.stdout, p.stderr
	p.cmd.WaitDelay = outputWait
	if c.Columns > 0 {
		p.onTerminal(t, c.Columns)
	}
	p.start(t, e.session)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.started = append(e.started, p)
	return p
}

func (p *Process) start(t testing.TB, s *session) {
	t.Helper()
	p.began = time.Now()
	err := s.track(p)
	if p.spawned != nil {
		p.spawned()
	}
	if err != nil {
		t.Fatalf("start %s: %v", p.name, err)
	}
	go func() {
		err := p.cmd.Wait()
		s.untrack(p)
		if p.shown != nil {
			<-p.shown
		}
		p.result = p.ended(err)
		close(p.exited)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it may have ended long ago
		<-p.exited
		if strings.Contains(p.result.Stderr, raceReport) {
			t.Errorf("%s: the race detector found something", p.name)
		}
		if t.Failed() {
			t.Log(p.report())
		}
	})
}

func (p *Process) ended(wait error) Result {
	r := Result{
		Code: -1, name: p.name,
		Stdout: p.stdout.String(), Stderr: p.stderr.String(),
		Took: time.Since(p.began),
	}
	if wait != nil {
		if _, ok := errors.AsType[*exec.ExitError](wait); !ok {
			r.Stderr += fmt.Sprintf("\n(harness: %v)\n", wait)
		}
	}
	state := p.cmd.ProcessState
	if state == nil {
		return r
	}
	r.Code = state.ExitCode()
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		r.Signal = status.Signal()
	}
	if usage, ok := state.SysUsage().(*syscall.Rusage); ok {
		r.MaxRSS = int64(usage.Maxrss) //nolint:unconvert // 32 bits wide on some platforms
		if runtime.GOOS == "linux" {
			r.MaxRSS *= 1024 // Linux counts in KiB, macOS in bytes
		}
	}
	return r
}

// PID returns the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Exited is closed once the process has ended and its output is complete.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Stdout returns what it has written to standard output so far.
func (p *Process) Stdout() string { return p.stdout.String() }

// Stderr returns what it has written to standard error so far.
func (p *Process) Stderr() string { return p.stderr.String() }

// WaitFor waits for the first line on standard error that contains the text,
// and returns it.
func (p *Process) WaitFor(t testing.TB, text string, within time.Duration) string {
	t.Helper()
	return p.waitForLine(t, p.stderr, text, within)
}

// WaitForStdout is WaitFor on standard output.
func (p *Process) WaitForStdout(t testing.TB, text string, within time.Duration) string {
	t.Helper()
	return p.waitForLine(t, p.stdout, text, within)
}

func (p *Process) waitForLine(t testing.TB, output *capture, text string, within time.Duration) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	line, err := output.line(ctx, text, p.exited)
	if err != nil {
		t.Fatalf("%s: %v", p.name, err)
	}
	return line
}

// Wait waits until the process has ended by itself, five minutes at most.
func (p *Process) Wait(t testing.TB) Result {
	t.Helper()
	return p.WaitWithin(t, runTime)
}

// WaitWithin is Wait with another limit. A process that takes longer is made
// to print its goroutines, and fails the test.
func (p *Process) WaitWithin(t testing.TB, limit time.Duration) Result {
	t.Helper()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-p.exited:
		return p.result
	case <-timer.C:
	}
	_ = p.cmd.Process.Signal(syscall.SIGQUIT) // it may have ended by now
	grace := time.NewTimer(outputWait)
	defer grace.Stop()
	select {
	case <-p.exited:
	case <-grace.C:
	}
	t.Fatalf("%s: still running after %s", p.name, limit)
	return Result{}
}

// Kill ends the process at once, as kill -9 does, and returns what became of
// it.
func (p *Process) Kill(t testing.TB) Result {
	t.Helper()
	p.Signal(t, syscall.SIGKILL)
	return p.WaitWithin(t, outputWait)
}

// Terminate sends SIGTERM and waits until the process has ended, for longer
// than the product promises that to take: the promise is the caller's to
// measure.
func (p *Process) Terminate(t testing.TB) Result {
	t.Helper()
	p.Signal(t, syscall.SIGTERM)
	return p.WaitWithin(t, terminateTime)
}

// Interrupt sends SIGINT, as Ctrl-C does, and waits until the process has
// ended.
func (p *Process) Interrupt(t testing.TB) Result {
	t.Helper()
	p.Signal(t, syscall.SIGINT)
	return p.WaitWithin(t, terminateTime)
}

// Signal sends a signal; SIGSTOP freezes the process until SIGCONT. One that
// has ended already is no failure: what became of it shows in the result.
func (p *Process) Signal(t testing.TB, signal syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatalf("%s: send %s: %v", p.name, signal, err)
	}
}

func (p *Process) report() string {
	state := "running"
	if isClosed(p.exited) {
		state = fmt.Sprintf("exit code %d after %s", p.result.Code, p.result.Took.Round(time.Millisecond))
		if p.result.Signal != 0 {
			state = fmt.Sprintf("ended by %s after %s", p.result.Signal, p.result.Took.Round(time.Millisecond))
		}
	}
	return fmt.Sprintf("== %s: %s\n-- stdout\n%s\n-- stderr\n%s",
		p.name, state, p.stdout.tail(reportedLines), p.stderr.tail(reportedLines))
}
