// Package markdown finds the fenced blocks of a Markdown document.
package markdown

import (
	"fmt"
	"strings"
)

// Document is a document's lines, with the fenced blocks among them.
type Document struct {
	Name   string // as it is to be named in messages
	Lines  []string
	Blocks []Block
}

// Block is what stands between two fences.
type Block struct {
	// Language is the first word after the opening fence, which is what a
	// renderer looks at; Terminal is the second, which nobody shows. Either may
	// be empty.
	Language, Terminal string
	// First is the number of the first line between the fences, from 1; the
	// block's last line is First+len(Lines)-1.
	First int
	Lines []string
}

const fence = "```"

// Parse cuts a document. A fence that is never closed, an indented one, and one
// with more than two words are errors.
func Parse(name, text string) (*Document, error) {
	d := &Document{Name: name, Lines: strings.Split(strings.TrimSuffix(text, "\n"), "\n")}
	open := false
	for i, line := range d.Lines {
		number := i + 1
		info, isFence := strings.CutPrefix(strings.TrimSpace(line), fence)
		switch {
		case !isFence && open:
			last := &d.Blocks[len(d.Blocks)-1]
			last.Lines = append(last.Lines, line)
		case !isFence:
		case !strings.HasPrefix(line, fence):
			return nil, fmt.Errorf("%s:%d: an indented fence", name, number)
		case open && info != "":
			return nil, fmt.Errorf("%s:%d: a fence within a block", name, number)
		case open:
			open = false
		default:
			words := strings.Fields(info)
			if len(words) > 2 {
				return nil, fmt.Errorf("%s:%d: more than a language and a terminal: %q", name, number, info)
			}
			words = append(words, "", "")
			d.Blocks = append(d.Blocks, Block{Language: words[0], Terminal: words[1], First: number + 1})
			open = true
		}
	}
	if open {
		return nil, fmt.Errorf("%s:%d: a block without an end", name, d.Blocks[len(d.Blocks)-1].First-1)
	}
	return d, nil
}

// Replaced returns the document's text with other lines in place of some: line
// numbers and how many lines go, mapped to what comes. Ranges must not overlap.
func (d *Document) Replaced(changes []Change) string {
	var b strings.Builder
	number := 1
	for _, c := range changes {
		for ; number < c.First; number++ {
			b.WriteString(d.Lines[number-1] + "\n")
		}
		for _, line := range c.Lines {
			b.WriteString(line + "\n")
		}
		number += c.Count
	}
	for ; number <= len(d.Lines); number++ {
		b.WriteString(d.Lines[number-1] + "\n")
	}
	return b.String()
}

// Change is lines to come in place of others.
type Change struct {
	First, Count int // the lines that go: the first one's number from 1, how many
	Lines        []string
}
