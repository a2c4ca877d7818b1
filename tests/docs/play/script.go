package play

import (
	"fmt"
	"slices"
	"strings"

	"github.com/streamgauge/streamgauge/tests/docs/markdown"
	"github.com/streamgauge/streamgauge/tests/docs/terminal"
)

// act is one thing that a reader does, and what the document shows after it.
type act struct {
	line    int    // of the document
	command string // several lines, if they are one command
	key     string // one of terminal.Keys, instead of a command
	// shown are the lines below it, the first of which is shownLine; nil where
	// nothing is said about what is printed.
	shown     []string
	shownLine int
	// succeeds says that the command has to exit with 0 whatever comes after it.
	succeeds bool
}

// does says whether anything is done at all, or lines are only read.
func (a *act) does() bool { return a.command != "" || a.key != "" }

const prompt = "$ "

// acts are what a block asks for.
func acts(b *markdown.Block) ([]act, error) {
	switch b.Language {
	case "console":
		return consoleActs(b), nil
	case "sh":
		return shellActs(b), nil
	case "text", "json":
		return []act{{line: b.First, shown: b.Lines, shownLine: b.First}}, nil
	}
	return nil, fmt.Errorf("a block of %q is neither console, sh, text nor json", b.Language)
}

// consoleActs reads a session: commands after "$ ", keys, and what is printed.
func consoleActs(b *markdown.Block) []act {
	var out []act
	for i := 0; i < len(b.Lines); {
		line := b.Lines[i]
		if _, isKey := terminal.Keys[line]; isKey {
			out = append(out, act{line: b.First + i, key: line, shown: []string{}, shownLine: b.First + i + 1})
			i++
			continue
		}
		if command, isCommand := strings.CutPrefix(line, prompt); isCommand {
			rest := append([]string{command}, b.Lines[i+1:]...)
			n := commandLines(rest)
			out = append(out, act{
				line: b.First + i, command: strings.Join(rest[:n], "\n"), shown: []string{}, shownLine: b.First + i + n,
			})
			i += n
			continue
		}
		if len(out) == 0 {
			out = append(out, act{line: b.First, shownLine: b.First})
		}
		last := &out[len(out)-1]
		last.shown = append(last.shown, line)
		i++
	}
	return out
}

// shellActs reads commands alone.
func shellActs(b *markdown.Block) []act {
	var out []act
	for i := 0; i < len(b.Lines); {
		if strings.TrimSpace(b.Lines[i]) == "" {
			i++
			continue
		}
		n := commandLines(b.Lines[i:])
		out = append(out, act{line: b.First + i, command: strings.Join(b.Lines[i:i+n], "\n"), succeeds: true})
		i += n
	}
	return out
}

// commandLines says how many of the lines are the first command: it goes on
// after a backslash, and to the end of a here-document.
func commandLines(lines []string) int {
	n := 1
	for strings.HasSuffix(lines[n-1], `\`) && n < len(lines) {
		n++
	}
	if _, word, found := strings.Cut(lines[n-1], "<<"); found {
		word = strings.Trim(strings.Fields(word)[0], `'"`)
		if end := slices.Index(lines[n:], word); end >= 0 {
			n += end + 1
		}
	}
	return n
}
