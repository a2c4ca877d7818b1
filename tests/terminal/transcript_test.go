package terminal

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/streamgauge/streamgauge/tests/harness"
)

// changing is what differs between two runs, and what stands for it.
var changing = []struct {
	what  *regexp.Regexp
	shown string
}{
	{regexp.MustCompile(`127\.0\.0\.1:\d{4,5}\b`), "127.0.0.1:PORT"},
	{regexp.MustCompile(`acc\d+:xxxxx@`), "user:xxxxx@"},
	{regexp.MustCompile(`\bt\d+_test\w+`), "DATABASE"},
	{regexp.MustCompile(`\b\d+(\.\d+)?m?s\b: \d+ sent`), "0.0s: N sent"},
	{regexp.MustCompile(`\b\d+ rows/s`), "N rows/s"},
	{regexp.MustCompile(`\b\d+ of (\d+) batches of what`), "N of $1 batches of what"},
	{regexp.MustCompile(`time=\S+ `), "time=… "},
	{regexp.MustCompile(`NATS \d+\.\d+\.\d+,`), "NATS VERSION,"},
	{regexp.MustCompile(`20[2-9]\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`), "TIME"},
	{regexp.MustCompile(`streamgauge-(input|sequences)-\d+`), "streamgauge-$1-N"},
}

// hidden is the password in an address, or what stands in for one behind it.
var hidden = regexp.MustCompile(`(:)[^:/@ ]+(@)|(token=)\w+`)

// transcript is what was typed and what came of it.
type transcript struct {
	env    *harness.Env
	folder string
	// through begins the command lines; they are shown without it.
	through []string
	text    strings.Builder
}

// record begins a transcript of commands that run in a folder of their own.
func record(t *testing.T, env *harness.Env) *transcript {
	t.Helper()
	return &transcript{env: env, folder: t.TempDir()}
}

// file writes a file that commands name without a folder.
func (tr *transcript) file(t *testing.T, name, content string) {
	t.Helper()
	write(t, filepath.Join(tr.folder, name), content)
}

// about begins what follows with a heading.
func (tr *transcript) about(what string) { fmt.Fprintf(&tr.text, "\n# %s\n", what) }

// run runs "producer a.csv" or the like. The variables, NAME=value, are set for
// it. Words are separated by spaces, those in 'quotes' hold some.
func (tr *transcript) run(t *testing.T, line string, environ ...string) harness.Result {
	t.Helper()
	words := split(line)
	result := tr.env.Run(t, harness.Command{
		Through: tr.through, Program: words[0], Args: words[1:], Env: environ, Dir: tr.folder, Limit: time.Minute,
	})
	shown := strings.Join(append(environ, line), " ")
	fmt.Fprintf(&tr.text, "$ %s\n", hidden.ReplaceAllString(shown, "$1${3}xxxxx$2"))
	tr.text.WriteString(result.Stdout)
	tr.text.WriteString(result.Stderr)
	if result.Code != 0 {
		fmt.Fprintf(&tr.text, "exit code %d\n", result.Code)
	}
	if result.Code == 1 && !hasRemedy(result.Stderr) {
		t.Errorf("%s: no remedy, and cause and remedy are two sentences at least: %s", line, result.Stderr)
	}
	return result
}

// hasRemedy says whether the last line is more than a cause.
func hasRemedy(stderr string) bool {
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	last := lines[len(lines)-1]
	return strings.Contains(last, ". ") || strings.Contains(last, "; ")
}

// check compares with a file in testdata. The replacements are pairs of what
// differs and what stands for it.
func (tr *transcript) check(t *testing.T, name string, replacements ...string) {
	t.Helper()
	golden(t, name, tr.steady(strings.TrimPrefix(tr.text.String(), "\n"), replacements...))
	checkPrintable(t, tr.text.String())
	for _, secret := range []string{"not-the-password", "s3cret"} {
		if strings.Contains(tr.text.String(), secret) {
			t.Errorf("a password is shown")
		}
	}
}

func checkPrintable(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if strings.IndexFunc(strings.TrimSuffix(line, "\n"), func(r rune) bool { return !unicode.IsPrint(r) }) >= 0 {
			t.Errorf("not printable: %q", line)
		}
	}
}

// steady is text with what differs between runs replaced.
func (tr *transcript) steady(text string, replacements ...string) string {
	replacements = append(replacements, tr.folder, "FOLDER", tr.env.Database, "DATABASE")
	text = strings.NewReplacer(replacements...).Replace(text)
	for _, c := range changing {
		text = c.what.ReplaceAllString(text, c.shown)
	}
	return text
}

func split(line string) []string {
	var words []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 0 {
			words = append(words, strings.Fields(part)...)
		} else {
			words = append(words, part)
		}
	}
	return words
}
