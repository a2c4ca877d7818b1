package commandline_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v3"

	"github.com/streamgauge/streamgauge/shared/commandline"
)

func program(out *bytes.Buffer) *cli.Command {
	root := &cli.Command{
		Name: "gauge", Version: "1.2.3", Writer: out, ErrWriter: out,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "file", Aliases: []string{"f"}, Local: true},
			&cli.IntFlag{Name: "replicas", Local: true},
			&cli.DurationFlag{Name: "settle", Local: true},
		},
		Action: func(_ context.Context, cmd *cli.Command) error {
			if cmd.Args().Present() {
				return commandline.UnknownCommand(cmd, cmd.Args().First())
			}
			return nil
		},
		Commands: []*cli.Command{
			{Name: "stats", Flags: []cli.Flag{&cli.BoolFlag{Name: "watch", Local: true}}, Action: func(context.Context, *cli.Command) error { return nil }},
			{Name: "unload", Action: func(context.Context, *cli.Command) error { return nil }},
		},
	}
	commandline.Prepare(root, out)
	return root
}

func TestMistakes(t *testing.T) {
	for args, want := range map[string]string{
		"--fiel x":         "unknown flag --fiel: did you mean --file? See 'gauge --help'",
		"--xyzzy":          "unknown flag --xyzzy. See 'gauge --help'",
		"-x":               "unknown flag -x. See 'gauge --help'",
		"stats --wach":     "unknown flag --wach: did you mean --watch? See 'gauge stats --help'",
		"stats --file":     "unknown flag --file. See 'gauge stats --help'",
		"--file":           "--file needs a value. See 'gauge --help'",
		"--replicas many":  `--replicas can't be "many": not of the form it takes. See 'gauge --help'`,
		"--settle soon":    `--settle can't be "soon": expected a duration such as 2s or 1m30s. See 'gauge --help'`,
		"stast":            `no command "stast": did you mean 'gauge stats'? See 'gauge --help'`,
		"frobnicate":       `no command or argument "frobnicate". See 'gauge --help'`,
		"completion":       "'gauge completion' needs bash, zsh or fish. See 'gauge completion --help'",
		"completion fihs":  `no command "fihs": did you mean 'gauge completion fish'? See 'gauge completion --help'`,
		"completion --bsh": "unknown flag --bsh. See 'gauge completion --help'",
	} {
		t.Run(args, func(t *testing.T) {
			var out bytes.Buffer
			err := program(&out).Run(t.Context(), append([]string{"gauge"}, strings.Fields(args)...))
			if err == nil || !commandline.IsMistake(err) {
				t.Fatalf("got %v", err)
			}
			if diff := cmp.Diff(want, err.Error()); diff != "" {
				t.Error("want -, got +", diff)
			}
			if out.Len() > 0 {
				t.Errorf("printed %q", out.String())
			}
		})
	}
}

func TestVersion(t *testing.T) {
	var out bytes.Buffer
	if err := program(&out).Run(t.Context(), []string{"gauge", "--version"}); err != nil || out.String() != "gauge 1.2.3\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		var out bytes.Buffer
		if err := program(&out).Run(t.Context(), []string{"gauge", "completion", shell}); err != nil || !strings.Contains(out.String(), "gauge") {
			t.Errorf("%s: %q, %v", shell, out.String(), err)
		}
	}
	var out bytes.Buffer
	if err := program(&out).Run(t.Context(), []string{"gauge", "stats", "--w", "--generate-shell-completion"}); err != nil || !strings.Contains(out.String(), "--watch") {
		t.Errorf("%q, %v", out.String(), err)
	}
}

func TestNearest(t *testing.T) {
	names := []string{"stats", "loads", "rejects", "verify", "database-url", "s", "wait"}
	for word, want := range map[string]string{
		"stat": "stats", "stast": "stats", "STATS": "stats", "load": "loads", "laods": "loads", "reject": "rejects",
		"verfiy": "verify", "database": "database-url", "databse-url": "database-url", "--wiat": "wait", "w": "", "x": "", "": "",
		"s": "", "xy": "", "nothing": "", strings.Repeat("stats", 20): "",
	} {
		if got, found := commandline.Nearest(word, names); got != want || found != (want != "") {
			t.Errorf("%q: %q, not %q", word, got, want)
		}
	}
}
