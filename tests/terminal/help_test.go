package terminal

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/streamgauge/streamgauge/tests/harness"
)

// command matches a line of help that names one.
var command = regexp.MustCompile(`(?m)^  ([a-z]+)  `)

// TestHelp: that of every command there is fits a terminal, which see checks.
func TestHelp(t *testing.T) {
	t.Parallel()
	tr := record(t, harness.New(t))
	looked := 0
	var look func(path string)
	look = func(path string) {
		looked++
		shown := tr.see(t, path+" --help")
		_, commands, _ := strings.Cut(shown, "\nCommands:\n")
		commands, _, _ = strings.Cut(commands, "\n\n")
		for _, found := range command.FindAllStringSubmatch(commands, -1) {
			look(path + " " + found[1])
		}
	}
	look("producer")
	look("consumer")
	if looked < 25 {
		t.Errorf("only %d commands were found", looked)
	}
	tr.check(t, "help.golden")
}

// TestMakeHelp: that of make without a target fits, too.
func TestMakeHelp(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	result := env.Run(t, harness.Command{Program: "make", Dir: env.Root()}).Exits(t, 0)
	if strings.Count(result.Stdout, "  make ") < 10 {
		t.Errorf("hardly anything is listed:\n%s", result.Stdout)
	}
	for line := range strings.Lines(result.Stdout) {
		if wide := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); wide > columns {
			t.Errorf("%d columns: %s", wide, line)
		}
	}
}
