package commandline_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v3"

	"github.com/streamgauge/streamgauge/shared/commandline"
)

func TestHelp(t *testing.T) {
	var out bytes.Buffer
	root := &cli.Command{
		Name: "gauge", Usage: "measures", Writer: &out, ErrWriter: &out, HideHelpCommand: true,
		Description: "Examples:\n  gauge it",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "file", Aliases: []string{"f"}, Local: true, Usage: "the `FILE` to read, whose name may be as long as the system that keeps it allows names to be"},
			&cli.IntFlag{Name: "a-flag-of-a-name-too-long", Local: true, Value: 3, Usage: "how many `TIMES`"},
			&cli.StringFlag{Name: "hidden", Hidden: true},
		},
		Action:   func(context.Context, *cli.Command) error { return nil },
		Commands: []*cli.Command{{Name: "stats", Usage: "shows", ArgsUsage: "NAME"}},
	}
	commandline.Prepare(root, &out)
	if err := root.Run(t.Context(), []string{"gauge", "--help"}); err != nil {
		t.Fatal(err)
	}
	want := `gauge - measures

Examples:
  gauge it

Usage: gauge [options] [command]

Commands:
  stats       shows
  completion  print a script that completes commands and flags, for bash, zsh or
              fish

Options:
  -f, --file FILE  the FILE to read, whose name may be as long as the system
                   that keeps it allows names to be
  --a-flag-of-a-name-too-long TIMES
                   how many TIMES (default: 3)
  -h, --help       show help
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("help (-want +got):\n%s", diff)
	}
}
