package main

import (
	"bytes"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/urfave/cli/v3"
)

// TestHostileArguments: whatever stands in an argument, what is said of it is
// one line that can be shown.
func TestHostileArguments(t *testing.T) {
	const hostile = "\x1b[2J\u009b2J\u202e\xff\r\nlevel=ERROR"
	for name, args := range map[string][]string{
		"command":            {hostile},
		"flag":               {"--" + hostile},
		"flag of a command":  {"stats", "--" + hostile},
		"argument":           {"loads", hostile},
		"output":             {"stats", "--output", hostile},
		"number":             {"--replicas", hostile},
		"address":            {"--server", hostile, "--database-url", "postgres://127.0.0.1:1/x"},
		"database":           {"loads", "--database-url", hostile},
		"context":            {"stats", "--watch", "--context", hostile},
		"credentials":        {"stats", "--watch", "--creds", hostile},
		"live page":          {"--http", hostile},
		"migrate":            {"migrate", hostile},
		"help":               {"help", hostile},
		"database to update": {"migrate", "up", "--database-url", hostile},
	} {
		t.Run(name, func(t *testing.T) {
			for _, variable := range []string{"NATS_URL", "NATS_CREDS", "NATS_CONTEXT", "DATABASE_URL"} {
				t.Setenv(variable, "")
			}
			var stdout, stderr bytes.Buffer
			if code := run(append([]string{"consumer"}, args...), &stdout, &stderr); code != exitUsage && code != exitFailed {
				t.Errorf("exit code %d", code)
			}
			line := strings.TrimSuffix(stderr.String(), "\n")
			if line == "" || !utf8.ValidString(line) || strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%q", stderr.String())
			}
			if stdout.Len() > 0 {
				t.Errorf("on standard output: %q", stdout.String())
			}
		})
	}
}

// TestHelpFitsTerminals: 80 columns, for every command.
func TestHelpFitsTerminals(t *testing.T) {
	var check func(cmd *cli.Command, path []string)
	check = func(cmd *cli.Command, path []string) {
		var stdout, stderr bytes.Buffer
		if code := run(append(path, "--help"), &stdout, &stderr); code != exitDone || stderr.Len() > 0 {
			t.Errorf("%q: exit code %d, %q", path, code, stderr.String())
		}
		for line := range strings.Lines(stdout.String()) {
			if utf8.RuneCountInString(strings.TrimSuffix(line, "\n")) > 80 {
				t.Errorf("%q: wider than 80 columns: %s", path, line)
			}
		}
		for _, sub := range cmd.Commands {
			check(sub, append(slices.Clip(path), sub.Name))
		}
	}
	check(newCommand(io.Discard, io.Discard, slog.New(slog.DiscardHandler)), []string{"consumer"})
}
