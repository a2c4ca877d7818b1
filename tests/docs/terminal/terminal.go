// Package terminal is a reader's terminal: a shell to type commands into, whose
// output is not a terminal, so that it is the same for every width and has no
// colours.
package terminal

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/creack/pty"
)

// Keys are what a document shows where a key is pressed.
var Keys = map[string]byte{"^C": 3, "^Z": 26}

const (
	// mark stands around the exit code in the prompt. No program prints it.
	mark = '\x1e'
	// prompt is read by bash, which expands both.
	prompt = `\036$?\036`
	// endTime is how long a program may take to end after Ctrl-C, and then the
	// shell.
	endTime = 15 * time.Second
	// keyInterval is the time from one Ctrl-C to the next, which programs take for
	// a wish to end at once.
	keyInterval = 6 * time.Second
)

// Terminal is a shell and what it has printed. Its methods must not be called
// concurrently.
type Terminal struct {
	cmd    *exec.Cmd
	tty    *os.File // our end of it
	output *os.File
	exited chan struct{}

	mu      sync.Mutex
	text    []byte        // printed and not yet taken
	changed chan struct{} // closed and replaced with each output
}

// View is what a terminal shows that has not been taken yet.
type View struct {
	Lines []string // complete ones, unless the command has ended
	Ended bool     // the shell waits for a command
	Code  int      // the exit code, once it has ended
}

// Start starts a shell in a folder.
func Start(dir string, env []string) (*Terminal, error) {
	master, slave, err := pty.Open()
	if err != nil {
		return nil, err
	}
	defer slave.Close()
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer write.Close()
	t := &Terminal{
		cmd: exec.Command("bash", "--norc", "--noprofile", "--noediting", "-i"),
		tty: master, output: read, exited: make(chan struct{}), changed: make(chan struct{}),
	}
	t.cmd.Dir = dir
	t.cmd.Env = append(slices.Clone(env), "PS1="+prompt, "PS2=", "PROMPT_COMMAND=", "HISTFILE=", "TERM=dumb")
	t.cmd.Stdin, t.cmd.Stdout, t.cmd.Stderr = slave, write, write
	// A shell controls jobs only in a session with a terminal: then Ctrl-C reaches
	// what runs in it, and closing our end hangs up on all of it.
	t.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := t.cmd.Start(); err != nil {
		return nil, err
	}
	go io.Copy(io.Discard, master) //nolint:errcheck // the echo of what is typed, until the end
	go t.read()
	go func() {
		_ = t.cmd.Wait() // the shell's last exit code says nothing new
		close(t.exited)
	}()
	return t, nil
}

func (t *Terminal) read() {
	buffer := make([]byte, 64<<10)
	for {
		n, err := t.output.Read(buffer)
		t.mu.Lock()
		t.text = append(t.text, buffer[:n]...)
		close(t.changed)
		t.changed = make(chan struct{})
		t.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Type types a command, which may have several lines, and Enter.
func (t *Terminal) Type(command string) error {
	_, err := t.tty.WriteString(command + "\n")
	return err
}

// Press presses one of Keys.
func (t *Terminal) Press(key string) error {
	_, err := t.tty.Write([]byte{Keys[key]})
	return err
}

// View returns what has been printed and not yet taken, and a channel that is
// closed when there is more.
func (t *Terminal) View() (View, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	text, rest, ended := bytes.Cut(t.text, []byte{mark})
	if !ended {
		text = text[:bytes.LastIndexByte(text, '\n')+1]
		return View{Lines: lines(text)}, t.changed
	}
	code, _, complete := bytes.Cut(rest, []byte{mark})
	number, err := strconv.Atoi(string(code))
	if !complete || err != nil {
		return View{Lines: lines(text)}, t.changed
	}
	return View{Lines: lines(text), Ended: true, Code: number}, t.changed
}

// Take takes the first lines of the View away; with the last of them, and if the
// command has ended, also that it has.
func (t *Terminal) Take(count int) {
	view, _ := t.View()
	t.mu.Lock()
	defer t.mu.Unlock()
	if view.Ended && count == len(view.Lines) {
		at := bytes.IndexByte(t.text, mark)
		t.text = t.text[at+1+bytes.IndexByte(t.text[at+1:], mark)+1:]
		return
	}
	for range count {
		t.text = t.text[bytes.IndexByte(t.text, '\n')+1:]
	}
}

// Close ends what still runs, as Ctrl-C does, and the shell.
func (t *Terminal) Close() error {
	timer := time.NewTimer(endTime)
	defer timer.Stop()
	defer t.output.Close()
	defer t.tty.Close()
	// The first one may reach the shell before it has given the terminal away.
	again := time.NewTicker(keyInterval)
	defer again.Stop()
	if view, _ := t.View(); !view.Ended {
		if err := t.Press("^C"); err != nil {
			return err
		}
	}
	for view, changed := t.View(); !view.Ended; view, changed = t.View() {
		select {
		case <-changed:
		case <-again.C:
			if err := t.Press("^C"); err != nil {
				return err
			}
		case <-t.exited:
			return nil
		case <-timer.C:
			return fmt.Errorf("what runs in the terminal does not end with Ctrl-C: %w", t.kill())
		}
	}
	if err := t.Type("exit"); err != nil {
		return err
	}
	select {
	case <-t.exited:
		return nil
	case <-timer.C:
		return fmt.Errorf("the shell does not end: %w", t.kill())
	}
}

var errKilled = fmt.Errorf("killed")

func (t *Terminal) kill() error {
	// The shell is a session's and a group's leader; hanging up reaches the rest.
	_ = syscall.Kill(-t.cmd.Process.Pid, syscall.SIGKILL)
	return errKilled
}

func lines(text []byte) []string {
	if len(text) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}
