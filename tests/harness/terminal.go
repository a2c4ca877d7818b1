package harness

import (
	"io"
	"syscall"
	"testing"

	"github.com/creack/pty"
)

// rows is how high the terminals are.
const rows = 24

// onTerminal makes the process run on a terminal of its own.
func (p *Process) onTerminal(t testing.TB, columns int) {
	t.Helper()
	terminal, tty, err := pty.Open()
	if err != nil {
		t.Fatalf("%s: open a terminal: %v", p.name, err)
	}
	if err := pty.Setsize(terminal, &pty.Winsize{Rows: rows, Cols: uint16(columns)}); err != nil {
		t.Fatalf("%s: set the terminal's size: %v", p.name, err)
	}
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = tty, tty, tty
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	p.terminal, p.shown = terminal, make(chan struct{})
	started := make(chan struct{})
	p.spawned = func() {
		_ = tty.Close() // the process has it
		close(started)
	}
	go func() {
		defer close(p.shown)
		<-started
		// It ends with an error when the last process has closed its end.
		_, _ = io.Copy(p.stdout, terminal)
	}()
	t.Cleanup(func() { _ = terminal.Close() })
}

// Type types on the process's terminal; "\x03" is Ctrl-C.
func (p *Process) Type(t testing.TB, keys string) {
	t.Helper()
	if _, err := p.terminal.WriteString(keys); err != nil {
		t.Fatalf("%s: type %q: %v", p.name, keys, err)
	}
}
