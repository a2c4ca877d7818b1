package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/creack/pty"

	"github.com/streamgauge/streamgauge/tests/recording/vt"
)

const (
	// typing is the time from one character to the next.
	typing = 35 * time.Millisecond
	// answerTime bounds how long anything awaited may take.
	answerTime = 90 * time.Second
	prompt     = "$ "
)

// pane is a shell on a terminal of fixed size, which others look at. Its methods
// may be called concurrently.
type pane struct {
	cmd *exec.Cmd
	tty *os.File

	mu      sync.Mutex
	screen  *vt.Screen
	err     error
	changed chan struct{} // closed and replaced with each output
}

func openPane(dir string, env []string, rows, cols int) (*pane, error) {
	p := &pane{
		cmd:    exec.Command("bash", "--norc", "--noprofile", "--noediting", "-i"),
		screen: vt.New(rows, cols), changed: make(chan struct{}),
	}
	p.cmd.Dir = dir
	p.cmd.Env = append(slices.Clone(env), `PS1=\[\e[32m\]$\[\e[0m\] `, "PROMPT_COMMAND=", "HISTFILE=", "TERM=xterm-256color", "LC_ALL=C.UTF-8", "NO_COLOR=")
	tty, err := pty.StartWithSize(p.cmd, &pty.Winsize{Rows: uint16(rows), Cols: uint16(cols)})
	if err != nil {
		return nil, err
	}
	p.tty = tty
	go p.read()
	return p, nil
}

func (p *pane) read() {
	buffer := make([]byte, 64<<10)
	for {
		n, err := p.tty.Read(buffer)
		p.mu.Lock()
		if _, bad := p.screen.Write(buffer[:n]); bad != nil && p.err == nil {
			p.err = bad
		}
		close(p.changed)
		p.changed = make(chan struct{})
		p.mu.Unlock()
		if err != nil {
			return // the terminal was closed
		}
	}
}

// snapshot is a copy of the screen, with the cursor on it.
func (p *pane) snapshot() ([][]vt.Cell, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	rows := make([][]vt.Cell, len(p.screen.Rows))
	for i, row := range p.screen.Rows {
		rows[i] = append([]vt.Cell(nil), row...)
	}
	if row, col := p.screen.Cursor(); p.atPrompt() && col < len(rows[row]) {
		rows[row][col] = vt.Cell{Rune: '▌', Style: vt.Style{Dim: true}}
	}
	return rows, p.err
}

// atPrompt says whether the shell waits, or a command is being typed.
func (p *pane) atPrompt() bool {
	row, _ := p.screen.Cursor()
	return strings.HasPrefix(p.screen.Line(row)+" ", prompt)
}

// run types a command, and Enter.
func (p *pane) run(ctx context.Context, command string) error {
	for _, r := range command {
		if _, err := p.tty.WriteString(string(r)); err != nil {
			return err
		}
		if err := pause(ctx, typing); err != nil {
			return err
		}
	}
	if err := pause(ctx, 8*typing); err != nil {
		return err
	}
	_, err := p.tty.WriteString("\n")
	return err
}

// await waits until a line of the screen contains the text; with "", until the
// shell waits for a command.
func (p *pane) await(ctx context.Context, text string) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	for {
		p.mu.Lock()
		found, changed := p.shows(text), p.changed
		p.mu.Unlock()
		if found {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("no %q on the screen: %w", text, ctx.Err())
		}
	}
}

func (p *pane) shows(text string) bool {
	if text == "" {
		_, col := p.screen.Cursor()
		return p.atPrompt() && col == len(prompt)
	}
	for i := range p.screen.Rows {
		if strings.Contains(p.screen.Line(i), text) {
			return true
		}
	}
	return false
}

// close hangs up on the shell and what runs in it.
func (p *pane) close() {
	_ = p.cmd.Process.Signal(syscall.SIGHUP)
	_ = p.tty.Close()
	_ = p.cmd.Wait() // it was hung up on
}

// pause lets time pass, which is what a recording is made of.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
