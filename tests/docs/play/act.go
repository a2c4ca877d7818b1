package play

import (
	"errors"
	"fmt"
	"strings"

	"github.com/streamgauge/streamgauge/tests/docs/expect"
	"github.com/streamgauge/streamgauge/tests/docs/markdown"
	"github.com/streamgauge/streamgauge/tests/docs/terminal"
)

// act does one thing and looks at what comes of it. The command may go on where
// that is allowed; its exit code is explained where the document shows it.
func (p *player) act(s *screen, a *act, mayGoOn, explained bool) error {
	if a.command != "" {
		if err := p.idle(s, a); err != nil {
			return err
		}
		s.command, s.line = oneLine(a.command), a.line
		s.busy, s.open, s.pressed = true, false, false
		if err := s.Type(a.command); err != nil {
			return err
		}
	}
	if a.key != "" {
		p.unshown(s, a)
		if err := s.Press(a.key); err != nil {
			return err
		}
		s.pressed = true
	}
	if a.shown == nil {
		return p.silently(s, a)
	}
	return p.shows(s, a, mayGoOn, explained)
}

// idle waits for the end of what ran before in a terminal, all of which has to
// have been shown.
func (p *player) idle(s *screen, a *act) error {
	if !s.busy {
		return nil
	}
	if _, err := p.await(s, func(v terminal.View) bool { return v.Ended }); err != nil {
		return p.stop(a.line, s.command, "still runs when the next command is to be typed: "+err.Error(), nil)
	}
	p.leftOver(s)
	return nil
}

// leftOver complains about what a command that has ended printed or said with
// its exit code, and the document does not show.
func (p *player) leftOver(s *screen) {
	view, _ := s.View()
	if !s.busy || !view.Ended {
		return
	}
	s.busy = false
	if rest := expect.Trim(view.Lines); len(rest) > 0 && !s.open {
		p.mistake(s.line, s.command, "goes on with what is shown nowhere", rest)
	}
	if view.Code != 0 && !s.pressed {
		p.mistake(s.line, s.command, fmt.Sprintf("exits with %d, which is shown nowhere", view.Code), nil)
	}
	s.Take(len(view.Lines))
}

// unshown complains about what a running command has printed by now and the
// document does not show.
func (p *player) unshown(s *screen, a *act) {
	view, _ := s.View()
	if rest := expect.Trim(view.Lines); len(rest) > 0 && !s.open {
		p.mistake(a.line, s.command, "has printed what is shown nowhere before this key", rest)
	}
	s.Take(len(view.Lines))
}

// silently waits for a command's end whatever it prints.
func (p *player) silently(s *screen, a *act) error {
	view, err := p.await(s, func(v terminal.View) bool { return v.Ended })
	if err != nil {
		return p.stop(a.line, s.command, "has not ended: "+err.Error(), view.Lines)
	}
	s.Take(len(view.Lines))
	s.busy = false
	if view.Code != 0 {
		return p.stop(a.line, s.command, fmt.Sprintf("exits with %d", view.Code), view.Lines)
	}
	return nil
}

// shows compares what is printed with what the document shows.
func (p *player) shows(s *screen, a *act, mayGoOn, explained bool) error {
	expected := expect.Trim(a.shown)
	if s.open && !a.does() {
		expected = append([]string{"…"}, expected...)
	}
	// What is read later belongs to a command that may go on; a key ends it, or
	// stops it.
	mayGoOn = a.key == "" && (mayGoOn || !a.does())
	view, err := p.await(s, func(v terminal.View) bool {
		got := expect.Trim(v.Lines)
		return v.Ended || mayGoOn && (expect.Begins(expected, got) >= 0 || !expect.Possible(expected, got))
	})
	if p.Update && !view.Ended && expect.Begins(expected, expect.Trim(view.Lines)) < 0 {
		view = p.settled(s)
	}
	got := expect.Trim(view.Lines)
	taken := len(view.Lines)
	if !view.Ended {
		if n := expect.Begins(expected, got); n >= 0 {
			taken = n + leadingEmpty(view.Lines)
			got = got[:n]
		}
	}
	difference := expect.Compare(expected, got)
	if difference == nil {
		p.Checked = append(p.Checked, Checked{Line: a.shownLine, Command: s.command, Expected: expected, Got: got, Whole: view.Ended})
	} else {
		p.differs(s, a, expected, got, difference)
	}
	s.Take(taken)
	s.open = elides(expected)
	switch {
	case view.Ended:
		s.busy = false
		if view.Code != 0 && !explained && !s.pressed {
			p.mistake(a.line, s.command, fmt.Sprintf("exits with %d, which the document does not show with 'echo $?'", view.Code), got)
		}
	case !mayGoOn, err != nil && difference != nil && !p.Update:
		return p.stop(a.line, s.command, "has not ended, or not printed all of it: "+err.Error(), nil)
	}
	if difference != nil && a.succeeds && view.Code != 0 {
		return errStop
	}
	return nil
}

// differs notes a difference, or what would mend it.
func (p *player) differs(s *screen, a *act, expected, got []string, d *expect.Difference) {
	lead := leadingEmpty(a.shown)
	if p.Update {
		shown := expect.Trim(a.shown)
		p.Changes = append(p.Changes, markdown.Change{
			First: a.shownLine + lead, Count: len(shown), Lines: expect.Updated(shown, got),
		})
		return
	}
	line := a.shownLine + lead + d.Line
	if len(expected) > len(expect.Trim(a.shown)) {
		line-- // an elision was put before it
	}
	p.note(&mistake{line: line, command: "$ " + s.command, Difference: *d, output: got})
}

func (p *player) mistake(line int, command, problem string, output []string) {
	p.note(&mistake{line: line, command: "$ " + command, problem: problem, output: output})
}

func (p *player) note(m *mistake) {
	p.Mistakes = append(p.Mistakes, errors.New(m.text(p.document.Name)))
}

// stop notes a mistake after which the rest of the document can't be played.
func (p *player) stop(line int, command, problem string, output []string) error {
	p.mistake(line, command, problem, output)
	return errStop
}

// leadingEmpty counts the empty lines before the first other one, if there is one.
func leadingEmpty(lines []string) int {
	if len(expect.Trim(lines)) == 0 {
		return 0
	}
	n := 0
	for n < len(lines) && strings.TrimSpace(lines[n]) == "" {
		n++
	}
	return n
}

func oneLine(command string) string {
	first, rest, more := strings.Cut(command, "\n")
	if more && rest != "" {
		return strings.TrimSuffix(first, `\`) + "…"
	}
	return first
}
