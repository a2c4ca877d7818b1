package terminal

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/streamgauge/streamgauge/tests/harness"
)

// columns is how wide the terminals of these tests are.
const columns = 80

// data is what may be wider: no line of it is broken, since programs read it too.
// (A name that is too long is longName's, or a sum's.)
var data = regexp.MustCompile(`^([^ ]+: \d+ new, |[^ ]+: \d+ records?, |` + longName + `|  id +[0-9a-f]{64}\+)`)

const longName = "a-name-that-is-longer-than-what-people-call-their-files-and-than-a-terminal-is-w"

// see runs a program on a terminal and adds what is seen there in the end, which
// it returns.
func (tr *transcript) see(t *testing.T, line string) string {
	t.Helper()
	words := split(line)
	result := tr.env.Run(t, harness.Command{
		Program: words[0], Args: words[1:], Dir: tr.folder, Env: []string{"TERM=xterm-256color"}, Limit: time.Minute, Columns: columns,
	})
	shown := seen(t, result.Stdout)
	fmt.Fprintf(&tr.text, "$ %s\n%s", line, shown)
	if result.Code != 0 {
		fmt.Fprintf(&tr.text, "exit code %d\n", result.Code)
	}
	return shown
}

// seen returns what a terminal shows, on which nothing has a colour, and no line
// goes on at the edge but data.
func seen(t *testing.T, written string) string {
	t.Helper()
	s := newScreen(columns)
	s.write(written)
	if len(s.strange) > 0 {
		t.Errorf("neither colour nor other sequences: %q", s.strange)
	}
	for _, line := range s.wrapped {
		if !data.MatchString(line) {
			t.Errorf("wider than %d columns: %s", columns, line)
		}
	}
	text := s.text()
	if text == "\n" {
		return ""
	}
	return text
}

// setting is what the commands below are run on: loads, rejects, dead messages.
func setting(t *testing.T) *transcript {
	t.Helper()
	env := harness.New(t)
	tr := record(t, env)
	tr.file(t, "2012-1.csv", "timestamp,price,user_id\n1/10/2012,50,9\n1/11/2012,,9\n1/12/2012,70.50,8\n")
	tr.file(t, "bad.csv", "timestamp,price,user_id\n2/10/2012,50,9\n2/11/2012,fifty,2\n31/2/2012,40,3\n2/13/2012,55\n2/14/2012,\x1b[2J\u202e,4\n2/15/2012,\""+strings.Repeat("long ", 60)+"\",4\n2/16/2012,x,1\n")
	tr.file(t, "a-name-that-is-longer-than-what-people-call-their-files-and-than-a-terminal-is-wide.csv", "timestamp,price,user_id\n3/10/2012,1,9\n")
	return tr
}

// commands are what a person would type one after the other.
func commands(t *testing.T, run func(line string), env *harness.Env) {
	t.Helper()
	run("producer --wait 2012-1.csv")
	run("producer --wait 2012-1.csv")
	run("producer --wait bad.csv")
	run("producer --dry-run bad.csv")
	run("producer --wait a-name-that-is-longer-than-what-people-call-their-files-and-than-a-terminal-is-wide.csv absent.csv")
	run("producer --label again 2012-1.csv")
	harness.Eventually(t, time.Minute, "all is stored", func() (bool, string) {
		n := env.Int(t, "SELECT rows FROM stats")
		return n == 8, fmt.Sprintf("%d rows", n)
	})
	run("producer --output json --wait 2012-1.csv")
	run("producer --wiat 2012-1.csv")
	js := env.JetStream(t)
	for number, msg := range []*nats.Msg{
		{Subject: "rows.price", Data: []byte("not a batch \x00\xff\x1b[31m" + strings.Repeat(" and on", 30)), Header: nats.Header{"Colour": {"red", "\x1b[31m"}}},
		{Subject: "rows.elsewhere"},
	} {
		if _, err := js.PublishMsg(t.Context(), msg); err != nil {
			t.Fatal(err)
		}
		harness.Eventually(t, time.Minute, "the message is set aside", func() (bool, string) {
			n := env.Int(t, "SELECT dead FROM stats")
			return n == int64(number+1), fmt.Sprintf("%d set aside", n)
		})
	}
	for _, line := range []string{
		"consumer stats", "consumer stats --output json", "consumer loads", "consumer verify 2012-1.csv bad.csv",
		"consumer rejects ls", "consumer rejects ls --limit 2 bad.csv", "consumer rejects show bad.csv 3", "consumer rejects show bad.csv 7",
		"consumer dead ls", "consumer dead show 1", "consumer doctor", "consumer migrate status", "consumer unload --yes bad.csv", "consumer loads", "consumer statz",
	} {
		run(line)
	}
}

var (
	// pulls are as many as it happens.
	pulls = regexp.MustCompile(`pulls waiting: \d+`)
	// servers for tests sync nothing, which some of them are told.
	fsync = regexp.MustCompile(`(?s)(warning  PostgreSQL  fsync is off.*?matter|ok       PostgreSQL  commits are on disk.*?\))\n`)
	// versions depend on where the tests run.
	versions = regexp.MustCompile(`version \d[^\n]*`)
	// dated is when a message came.
	dated = regexp.MustCompile(`"(database|updated_at)":"[^"]*"`)
)

func steadyServers(text string) string {
	text = fsync.ReplaceAllString(pulls.ReplaceAllString(text, "pulls waiting: N"), "")
	return dated.ReplaceAllString(versions.ReplaceAllString(text, "version …"), `"$1":"…"`)
}

// TestOnATerminal: as it looks on a terminal of 80 columns.
func TestOnATerminal(t *testing.T) {
	t.Parallel()
	tr := setting(t)
	tr.env.StartConsumer(t)
	commands(t, func(line string) {
		if !strings.Contains(line, "json") { // which nobody reads there
			tr.see(t, line)
		}
	}, tr.env)
	golden(t, "terminal.golden", steadyServers(tr.steady(tr.text.String())))
}

// TestIntoAPipe: as other programs, and files, get it: no line is broken.
func TestIntoAPipe(t *testing.T) {
	t.Parallel()
	tr := setting(t)
	tr.env.StartConsumer(t)
	commands(t, func(line string) { tr.run(t, line) }, tr.env)
	checkPrintable(t, tr.text.String())
	golden(t, "pipe.golden", steadyServers(tr.steady(tr.text.String())))
}
