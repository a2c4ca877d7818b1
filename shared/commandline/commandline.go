// Package commandline is how the programs take the words they are called with:
// what they say of a mistake, their version, and the completion scripts for
// shells.
package commandline

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v3"
)

// Error is a mistake in how a program was called. Its text is one sentence on
// what is wrong, then where to read on; it may hold the words given, as they
// were given.
type Error struct {
	// Program is the command to ask for help, as in "consumer stats".
	Program string
	Cause   error
}

func (e *Error) Error() string {
	text := strings.TrimRight(e.Cause.Error(), ".")
	if !strings.HasSuffix(text, "?") {
		text += "."
	}
	return fmt.Sprintf("%s See '%s --help'", text, e.Program)
}

func (e *Error) Unwrap() error { return e.Cause }

// Prepare gives root and its commands, which have to be all there, the ways the
// two programs share: mistakes come back from Run as *Error and print nothing,
// an error never ends the process, --version prints "name version" to out, help
// fits a terminal of 80 columns, and the command completion prints scripts for
// bash, zsh and fish. It sets variables of package cli, so a process prepares
// one root at a time.
func Prepare(root *cli.Command, out io.Writer) {
	cli.VersionPrinter = func(cmd *cli.Command) {
		fmt.Fprintf(out, "%s %s\n", cmd.Root().Name, cmd.Root().Version)
	}
	cli.HelpPrinter = printHelp
	root.ExitErrHandler = func(context.Context, *cli.Command, error) {}
	root.EnableShellCompletion = true
	root.ConfigureShellCompletionCommand = func(completion *cli.Command) { configureCompletion(completion, root.Name) }
	explainMistakes(root)
}

func explainMistakes(cmd *cli.Command) {
	cmd.OnUsageError = func(_ context.Context, cmd *cli.Command, err error, _ bool) error {
		return &Error{cmd.FullName(), explain(cmd, err)}
	}
	for _, sub := range cmd.Commands {
		explainMistakes(sub)
	}
}

const completionHelp = `Examples:
  source <(%[1]s completion bash)     in ~/.bashrc
  source <(%[1]s completion zsh)      in ~/.zshrc
  %[1]s completion fish > ~/.config/fish/completions/%[1]s.fish`

func configureCompletion(completion *cli.Command, program string) {
	completion.Hidden = false
	completion.Description = fmt.Sprintf(completionHelp, program)
	completion.Usage = "print a script that completes commands and flags, for bash, zsh or fish"
	var shells []*cli.Command
	for _, shell := range completion.Commands {
		if shell.Name == "bash" || shell.Name == "zsh" || shell.Name == "fish" {
			shells = append(shells, shell)
		}
	}
	completion.Commands = shells
	completion.Action = func(_ context.Context, cmd *cli.Command) error {
		if cmd.Args().Present() {
			return UnknownCommand(cmd, cmd.Args().First())
		}
		return Refuse(cmd, "'%s' needs bash, zsh or fish", cmd.FullName())
	}
	explainMistakes(completion)
}

// UnknownCommand is the mistake of a word that is no command of cmd.
func UnknownCommand(cmd *cli.Command, word string) error {
	var names []string
	for _, sub := range cmd.VisibleCommands() {
		names = append(names, sub.Names()...)
	}
	if nearest, found := Nearest(word, names); found {
		return Refuse(cmd, "no command %q: did you mean '%s %s'?", word, cmd.FullName(), nearest)
	}
	return Refuse(cmd, "no command or argument %q", word)
}
