// Package play does what a document asks its reader to do, and compares what
// happens with what the document shows.
//
// Fenced blocks are played in the document's order:
//
//   - sh: commands, each of which has to succeed. What they print does not
//     matter, unless a text or json block follows at once: that is what the last
//     of them prints.
//   - console: commands after "$ ", each followed by what it prints on both
//     outputs. A command that does not exit with 0 has to be followed by
//     "$ echo $?". A line ^C or ^Z is that key.
//   - text, json: what is printed next.
//
// A second word after the language, which no renderer shows, names a terminal:
// each name is another one, in the folder that the first has come to. There the
// last command of a block may go on running; later blocks of that terminal show
// what it prints then. Package expect says what is the same.
package play

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/tests/docs/expect"
	"github.com/streamgauge/streamgauge/tests/docs/markdown"
	"github.com/streamgauge/streamgauge/tests/docs/terminal"
)

// Config says how a document is played.
type Config struct {
	Dir   string // where the first terminal begins
	Env   []string
	Limit time.Duration // for what one command prints, and for its end
	// Leave are the blocks not to be played.
	Leave []Exception
	// Update collects what would correct the document, instead of mistakes in what
	// commands print.
	Update bool
}

// Exception is a block that is not played.
type Exception struct {
	Begins string // what its first line begins with
	Reason string
}

// Outcome is what came of it.
type Outcome struct {
	Mistakes []error
	Checked  []Checked
	Changes  []markdown.Change // with Update
}

// Checked is what a document showed and what was printed there.
type Checked struct {
	Line     int // of the first expected one
	Command  string
	Expected []string
	Got      []string
	Whole    bool // nothing may come after it
}

// quiet is how long nothing has to be printed for a corrected document to show
// what there is of a command that goes on.
const quiet = 2 * time.Second

// player is a document under way.
type player struct {
	Config
	Outcome

	document  *markdown.Document
	terminals map[string]*screen
	order     []*screen // as they were opened
}

// screen is a terminal with what the document has shown of it.
type screen struct {
	*terminal.Terminal

	name    string
	command string
	busy    bool // a command runs, or what it printed has not been taken
	open    bool // the last that was shown ended with an elision
	pressed bool // a key was, so that any exit code is its doing
	line    int  // of the command
}

// errStop ends a document whose rest can't be played.
var errStop = errors.New("cannot go on")

// Document plays it to its end, or to what makes the rest pointless. All its
// terminals are closed again.
func Document(d *markdown.Document, cfg Config) *Outcome {
	p := &player{Config: cfg, document: d, terminals: make(map[string]*screen)}
	err := p.play()
	for _, s := range slices.Backward(p.order) {
		if err == nil {
			p.leftOver(s)
		}
		if e := s.Close(); e != nil {
			p.Mistakes = append(p.Mistakes, fmt.Errorf("%s: terminal %q: %w", d.Name, s.name, e))
		}
	}
	if err != nil && !errors.Is(err, errStop) {
		p.Mistakes = append(p.Mistakes, err)
	}
	return &p.Outcome
}

func (p *player) play() error {
	left := make([]int, len(p.Leave))
	for i := range p.document.Blocks {
		b := &p.document.Blocks[i]
		if e := p.exception(b); e >= 0 {
			left[e]++
			continue
		}
		if err := p.block(i, b); err != nil {
			return err
		}
	}
	for i, e := range p.Leave {
		if left[i] != 1 {
			p.Mistakes = append(p.Mistakes, fmt.Errorf(
				"%s: the list of blocks to leave out has %q (%s): %d blocks begin so, not 1", p.document.Name, e.Begins, e.Reason, left[i]))
		}
	}
	return nil
}

func (p *player) exception(b *markdown.Block) int {
	return slices.IndexFunc(p.Leave, func(e Exception) bool {
		return len(b.Lines) > 0 && strings.HasPrefix(strings.TrimSpace(b.Lines[0]), e.Begins)
	})
}

func (p *player) block(index int, b *markdown.Block) error {
	todo, err := acts(b)
	if err != nil {
		return fmt.Errorf("%s:%d: %w, and not in the list of blocks to leave out", p.document.Name, b.First, err)
	}
	s, err := p.screen(b)
	if err != nil {
		return err
	}
	for i := range todo {
		a := &todo[i]
		last := i == len(todo)-1
		// What the last command of a block prints may stand in the next one.
		if last && b.Language == "sh" && p.printsNext(index, b) {
			next := p.document.Blocks[index+1]
			a.shown, a.shownLine = next.Lines, next.First
		}
		if !a.does() && b.Terminal == "" {
			if index > 0 && p.document.Blocks[index-1].Language == "sh" && p.printsNext(index-1, &p.document.Blocks[index-1]) {
				continue // compared with the command
			}
			return fmt.Errorf("%s:%d: neither played nor in the list of blocks to leave out: %q", p.document.Name, b.First, b.Lines[0])
		}
		explained := !last && strings.TrimSpace(todo[i+1].command) == "echo $?"
		// It goes on until the key, or for the blocks that come.
		mayGoOn := !last && todo[i+1].key != "" || last && b.Terminal != ""
		if err := p.act(s, a, mayGoOn, explained); err != nil {
			return err
		}
	}
	return nil
}

// printsNext says whether the block after one of commands shows what they print.
func (p *player) printsNext(index int, b *markdown.Block) bool {
	if index+1 >= len(p.document.Blocks) {
		return false
	}
	next := &p.document.Blocks[index+1]
	return b.Terminal == "" && next.Terminal == "" && (next.Language == "text" || next.Language == "json") && p.exception(next) < 0
}

// screen is the block's terminal, opened if need be.
func (p *player) screen(b *markdown.Block) (*screen, error) {
	if s := p.terminals[b.Terminal]; s != nil {
		return s, nil
	}
	if b.Terminal != "" && b.Language != "console" && b.Language != "sh" {
		return nil, fmt.Errorf("%s:%d: there is no terminal %q yet", p.document.Name, b.First, b.Terminal)
	}
	dir := p.Dir
	if b.Terminal != "" && p.terminals[""] != nil {
		view, err := p.quietly(p.terminals[""], "pwd")
		if err != nil {
			return nil, err
		}
		dir = strings.Join(view.Lines, "\n")
	}
	t, err := terminal.Start(dir, p.Env)
	if err != nil {
		return nil, fmt.Errorf("open a terminal: %w", err)
	}
	s := &screen{Terminal: t, name: b.Terminal}
	p.terminals[b.Terminal], p.order = s, append(p.order, s)
	_, err = p.quietly(s, "") // the first prompt
	return s, err
}

// quietly has a shell do what the document does not ask for.
func (p *player) quietly(s *screen, command string) (terminal.View, error) {
	if command != "" {
		if err := s.Type(command); err != nil {
			return terminal.View{}, err
		}
	}
	view, err := p.await(s, func(v terminal.View) bool { return v.Ended })
	s.Take(len(view.Lines))
	return view, err
}

// await waits until the terminal shows something, for as long as the limit. What
// it shows then is returned in any case.
func (p *player) await(s *screen, done func(terminal.View) bool) (terminal.View, error) {
	timer := time.NewTimer(p.Limit)
	defer timer.Stop()
	for {
		view, changed := s.View()
		if done(view) {
			return view, nil
		}
		select {
		case <-changed:
		case <-timer.C:
			return view, fmt.Errorf("%w after %s", os.ErrDeadlineExceeded, p.Limit)
		}
	}
}

// settled is what a terminal shows when nothing has come for a while.
func (p *player) settled(s *screen) terminal.View {
	for {
		view, changed := s.View()
		if view.Ended {
			return view
		}
		timer := time.NewTimer(quiet)
		select {
		case <-changed:
			timer.Stop()
		case <-timer.C:
			return view
		}
	}
}

func elides(lines []string) bool { return len(lines) > 0 && expect.IsElision(lines[len(lines)-1]) }
