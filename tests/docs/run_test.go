package docs

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/streamgauge/streamgauge/sandbox/postgres"
	"github.com/streamgauge/streamgauge/tests/checkout"
	"github.com/streamgauge/streamgauge/tests/docs/markdown"
	"github.com/streamgauge/streamgauge/tests/docs/play"
)

var update = flag.Bool("update", false, "bring the outputs that the documents show up to date")

// origin is where the documents clone from.
const origin = "https://github.com/streamgauge/streamgauge"

// commandTime bounds each command of a document, on a machine that is busy with
// other tests.
const commandTime = 2 * time.Minute

// TestRun does what the documents ask their readers to do. Each script in
// testdata/script names a document and the blocks that are left out, with the
// reason; all others are played. What that means is package play's to say.
func TestRun(t *testing.T) {
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	published := filepath.Join(t.TempDir(), "streamgauge")
	if err := checkout.Publish(t.Context(), root, published); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:       "testdata/script",
		Condition: condition,
		Setup: func(env *testscript.Env) error {
			return prepare(env, published)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"compose": compose,
			"leave":   leave,
			"play":    func(ts *testscript.TestScript, neg bool, args []string) { playDocument(ts, root, neg, args) },
		},
		RequireUniqueNames: true,
	})
}

// leftOut is the key of the blocks that a script has named so far.
type leftOut struct{}

// environment is the key of the variables that a document's terminals have.
type environment struct{}

// prepare makes an empty folder a place in which to begin a document.
func prepare(env *testscript.Env, published string) error {
	env.Values[leftOut{}] = new([]play.Exception)
	// The sandbox's servers run as another user when root starts them, who has to
	// get at their data.
	tmp, err := os.MkdirTemp("", "streamgauge-docs-")
	if err != nil {
		return err
	}
	if err := os.Chmod(tmp, 0o711); err != nil {
		return err
	}
	env.Defer(func() { _ = os.RemoveAll(tmp) })
	path := os.Getenv("PATH")
	if found, err := postgres.Find(context.Background()); err == nil {
		path += string(filepath.ListSeparator) + found.Dir // psql may be there only
	}
	goEnv, err := exec.Command("go", "env", "GOCACHE", "GOMODCACHE", "GOPROXY", "GOFLAGS").Output()
	if err != nil {
		return fmt.Errorf("go env: %w", err)
	}
	values := strings.Split(string(goEnv), "\n")
	vars := []string{
		"PATH=" + path, "HOME=" + env.WorkDir, "TMPDIR=" + tmp, "LC_ALL=C.UTF-8", "TZ=UTC",
		"GOCACHE=" + values[0], "GOMODCACHE=" + values[1], "GOPROXY=" + values[2], "GOFLAGS=" + values[3],
		"GIT_CONFIG_COUNT=2",
		"GIT_CONFIG_KEY_0=url." + published + ".insteadOf", "GIT_CONFIG_VALUE_0=" + origin,
		"GIT_CONFIG_KEY_1=safe.directory", "GIT_CONFIG_VALUE_1=*",
	}
	env.Values[environment{}] = &vars
	return nil
}

// leave is a script's command: leave 'beginning of a block' 'the reason'.
func leave(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 || args[1] == "" {
		ts.Fatalf("usage: leave 'first words of the block' 'why it is not played'")
	}
	left := ts.Value(leftOut{}).(*[]play.Exception)
	*left = append(*left, play.Exception{Begins: args[0], Reason: args[1]})
}

// playDocument is a script's command: play DOCUMENT, relative to the root.
func playDocument(ts *testscript.TestScript, root string, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: play DOCUMENT")
	}
	path := filepath.Join(root, args[0])
	text, err := os.ReadFile(path)
	ts.Check(err)
	document, err := markdown.Parse(args[0], string(text))
	ts.Check(err)
	outcome := play.Document(document, play.Config{
		Dir: ts.Getenv("WORK"), Env: *ts.Value(environment{}).(*[]string), Limit: commandTime,
		Leave: *ts.Value(leftOut{}).(*[]play.Exception), Update: *update,
	})
	if len(outcome.Changes) > 0 {
		ts.Check(os.WriteFile(path, []byte(document.Replaced(outcome.Changes)), 0o644))
		ts.Logf("%s: %d outputs brought up to date", args[0], len(outcome.Changes))
	}
	if err := errors.Join(outcome.Mistakes...); err != nil {
		ts.Fatalf("%v", err)
	}
	ts.Logf("%s: %d outputs are as shown", args[0], len(outcome.Checked))
	if missed := unnoticed(outcome.Checked); len(missed) > 0 && len(outcome.Changes) == 0 {
		ts.Fatalf("%s: these alterations would go unnoticed:\n%s", args[0], strings.Join(missed, "\n"))
	}
}
