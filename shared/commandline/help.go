package commandline

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/urfave/cli/v3"
)

const (
	// width is that of a terminal as it opens.
	width = 80
	// widest is how wide the column of names grows; a longer name stands on a
	// line of its own.
	widest = 26
)

// printHelp writes what a command does, its examples first. The signature is
// cli.HelpPrinterFunc's.
func printHelp(out io.Writer, _ string, data any) {
	cmd, is := data.(*cli.Command)
	if !is {
		return
	}
	var text strings.Builder
	text.WriteString(strings.Join(wrap(cmd.FullName()+" - "+cmd.Usage, width), "\n  ") + "\n\n")
	if cmd.Description != "" {
		text.WriteString(cmd.Description + "\n\n")
	}
	text.WriteString("Usage: " + usage(cmd) + "\n")
	var commands, options [][2]string
	for _, sub := range cmd.VisibleCommands() {
		commands = append(commands, [2]string{strings.Join(sub.Names(), ", "), sub.Usage})
	}
	for _, flag := range cmd.VisibleFlags() {
		options = append(options, describe(flag))
	}
	list(&text, "Commands", commands)
	list(&text, "Options", options)
	// Help is for people; if they are gone there is nobody to tell.
	_, _ = io.WriteString(out, text.String())
}

func usage(cmd *cli.Command) string {
	if cmd.UsageText != "" {
		return cmd.UsageText
	}
	text := cmd.FullName()
	if len(cmd.VisibleFlags()) > 0 {
		text += " [options]"
	}
	if len(cmd.VisibleCommands()) > 0 {
		text += " [command]"
	}
	if cmd.ArgsUsage != "" {
		text += " " + cmd.ArgsUsage
	}
	return text
}

// describe returns a flag's names as they are typed, the short one first, and
// what it does.
func describe(flag cli.Flag) [2]string {
	var long, short string
	for _, name := range flag.Names() {
		if len(name) == 1 {
			short += dashed(name) + ", "
		} else {
			long += dashed(name) + ", "
		}
	}
	names := strings.TrimSuffix(short+long, ", ")
	// The flag's own text is its names, a tab, and what it does with default
	// and variables.
	_, does, _ := strings.Cut(flag.String(), "\t")
	if documented, is := flag.(cli.DocGenerationFlag); is {
		if _, rest, found := strings.Cut(documented.GetUsage(), "`"); found {
			placeholder, _, _ := strings.Cut(rest, "`")
			names += " " + placeholder
		}
	}
	return [2]string{names, does}
}

func list(text *strings.Builder, title string, rows [][2]string) {
	if len(rows) == 0 {
		return
	}
	text.WriteString("\n" + title + ":\n")
	column := 0
	for _, row := range rows {
		if size := utf8.RuneCountInString(row[0]); size <= widest {
			column = max(column, size)
		}
	}
	for _, row := range rows {
		lines := wrap(row[1], width-column-4)
		if utf8.RuneCountInString(row[0]) > column {
			lines = append([]string{""}, lines...)
		}
		for i, line := range lines {
			name := ""
			if i == 0 {
				name = row[0]
			}
			text.WriteString(strings.TrimRight(fmt.Sprintf("  %-*s  %s", column, name, line), " ") + "\n")
		}
	}
}

// wrap breaks text between words into lines of at most columns characters, or
// of one word that is longer. It returns one line at least.
func wrap(text string, columns int) []string {
	lines := []string{""}
	for word := range strings.FieldsSeq(text) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case utf8.RuneCountInString(*last)+1+utf8.RuneCountInString(word) <= columns:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}
