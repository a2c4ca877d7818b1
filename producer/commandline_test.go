package main

import (
	"bytes"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/shared/commandline"
)

var update = flag.Bool("update", false, "write what came out to testdata, to be looked at")

// golden compares what came out with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("not as in %s; -update writes it anew (-want +got):\n%s", path, diff)
	}
}

func runHere(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, talk bytes.Buffer
	err = command(&out, &talk, nil, slog.New(newTalk(&talk, 0))).Run(t.Context(), append([]string{"producer"}, args...))
	return out.String(), talk.String(), err
}

func TestHelp(t *testing.T) {
	for name, args := range map[string][]string{
		"help.golden":            {"--help"},
		"completion-help.golden": {"completion", "--help"},
		"watch-help.golden":      {"watch", "--help"},
	} {
		stdout, stderr, err := runHere(t, args...)
		if err != nil || stderr != "" {
			t.Errorf("%q: told %q, %v", args, stderr, err)
		}
		golden(t, name, stdout)
		for line := range strings.Lines(stdout) {
			if utf8.RuneCountInString(strings.TrimSuffix(line, "\n")) > 80 {
				t.Errorf("%q: wider than 80 columns: %s", args, line)
			}
		}
	}
	stdout, _, _ := runHere(t, "--help")
	if lines := strings.SplitN(stdout, "\n", 7); lines[2] != "Examples:" || strings.Count(strings.Join(lines[3:6], ""), "  producer ") != 3 {
		t.Errorf("help does not open with three examples:\n%s", stdout)
	}
}

func TestMistakes(t *testing.T) {
	var all strings.Builder
	for _, args := range []string{
		"",
		"--wiat a.csv",
		"--exlude x a.csv",
		"-x a.csv",
		"--file",
		"--batch-size many a.csv",
		"--batch-size 0 a.csv",
		"--output xml a.csv",
		"--map price a.csv",
		"--dry-run --wait a.csv",
		"--label a/b a.csv",
		"--timezone Mars/Phobos a.csv",
		"--server x --context y a.csv",
		"completion bsh",
		"a.csv --wiat",
		"watch",
		"watch a b",
		"watch --file a b",
		"--file a watch b",
		"watch --wiat a",
		"watch --settle soon a",
		"watch --settle 1ms a",
		"watch --settle 0s a",
		"--dry-run watch --wait a",
		"--settle 1s a.csv",
	} {
		stdout, stderr, err := runHere(t, strings.Fields(args)...)
		if !commandline.IsMistake(err) || stdout != "" || stderr != "" {
			t.Errorf("%q: %v, printed %q, told %q", args, err, stdout, stderr)
			continue
		}
		all.WriteString("$ producer " + args + "\nproducer: " + oneLine(err.Error()) + "\n")
	}
	golden(t, "mistakes.golden", all.String())
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if stdout, stderr, err := runHere(t, "completion", shell); err != nil || stderr != "" || !strings.Contains(stdout, "producer") {
			t.Errorf("%s: %q, told %q, %v", shell, stdout, stderr, err)
		}
	}
	// Package cli looks for the word to complete in os.Args.
	args := os.Args
	t.Cleanup(func() { os.Args = args })
	os.Args = []string{"producer", "--dry", "--generate-shell-completion"}
	if stdout, _, err := runHere(t, "--dry", "--generate-shell-completion"); err != nil || !strings.Contains(stdout, "--dry-run") {
		t.Errorf("%q, %v", stdout, err)
	}
}

func TestVersion(t *testing.T) {
	if stdout, _, err := runHere(t, "--version"); err != nil || stdout != "producer "+version+"\n" {
		t.Errorf("%q, %v", stdout, err)
	}
}
