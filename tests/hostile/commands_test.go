package hostile

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/shared/topology"
	"github.com/streamgauge/streamgauge/shared/wire"
	"github.com/streamgauge/streamgauge/tests/harness"
)

// checkCommands looks at what every command shows of the corpus once it is
// loaded, and at the service's answers.
func checkCommands(t *testing.T, env *harness.Env, groups []*group, files []*file) {
	t.Helper()
	for _, args := range [][]string{
		{"loads"},
		{"stats"},
		{"rejects", "ls", "--limit", "-1"},
		{"dead", "ls", "--limit", "-1"},
	} {
		result := env.Consumer(t, args...).Exits(t, 0)
		checkShown(t, strings.Join(args, " "), result.Stdout+result.Stderr)
		result = env.Consumer(t, append(args, "--output", "json")...).Exits(t, 0)
		checkShownJSON(t, strings.Join(args, " ")+" as JSON", result.Stdout)
		checkShown(t, strings.Join(args, " ")+" as JSON, standard error", result.Stderr)
	}
	checkSingle(t, env)
	for _, g := range groups {
		// Some of the files are refused, so that the exit code is not the same.
		verified := env.Consumer(t, append([]string{"verify"}, g.paths...)...)
		checkShown(t, "verify", verified.Stdout+verified.Stderr)
		verified = env.Consumer(t, append([]string{"verify", "--output", "json"}, g.paths...)...)
		checkShownJSON(t, "verify as JSON", verified.Stdout)
		checkShown(t, "verify as JSON, standard error", verified.Stderr)
		for _, options := range [][]string{nil, {"--dry-run"}} {
			result := env.Producer(t, slices.Concat([]string{"--batch-size", batchSize}, options, g.args, fileArgs(g.paths))...)
			checkShown(t, "the producer's summaries", result.Stdout)
			checkShown(t, "the producer's talk", result.Stderr)
		}
	}
	t.Run("rejects export and replay", func(t *testing.T) { checkExport(t, env, files) })
	t.Run("watch", func(t *testing.T) { checkWatch(t, env) })
	t.Run("service", func(t *testing.T) { checkAnswers(t, env, files) })
	for _, source := range env.Rows(t, "SELECT identity FROM sources WHERE name ~ '[^a-z0-9._-]' ORDER BY source_id LIMIT 10") {
		show := env.Consumer(t, "unload", source[0], "--yes").Exits(t, 0)
		checkShown(t, "unload", show.Stdout+show.Stderr)
	}
}

// checkSingle shows dead batches and rejects one by one, those whose bytes a
// terminal would take for commands.
func checkSingle(t *testing.T, env *harness.Env) {
	t.Helper()
	show := func(args ...string) {
		result := env.Consumer(t, args...).Exits(t, 0)
		checkShown(t, strings.Join(args, " "), result.Stdout+result.Stderr)
		result = env.Consumer(t, append(args, "--output", "json")...).Exits(t, 0)
		checkShownJSON(t, strings.Join(args, " ")+" as JSON", result.Stdout)
		checkShown(t, strings.Join(args, " ")+" as JSON, standard error", result.Stderr)
	}
	for _, d := range env.Rows(t, "SELECT dead_batch_id FROM dead_batches") {
		show("dead", "show", d[0])
	}
	for _, name := range []string{"term-csi.csv", "term-c1.csv", "term-bidi.csv", "size-only-record-too-long.csv", "\x1b[2J\x1b[31mred.csv"} {
		line := env.Int(t, "SELECT min(line) FROM rejects JOIN sources USING (source_id) WHERE name = $1", name)
		show("rejects", "show", name, strconv.FormatInt(line, 10))
	}
}

// checkExport writes the list of all rejects, the one thing that holds their
// bytes as they are, and replays it as it stands: nothing in it is right.
func checkExport(t *testing.T, env *harness.Env, files []*file) {
	t.Helper()
	before := env.Rows(t, "SELECT rows, rejected, sum, revision FROM stats")
	list := env.Consumer(t, "rejects", "export").Exits(t, 0)
	checkShown(t, "rejects export, standard error", list.Stderr)
	records, err := csv.NewReader(strings.NewReader(list.Stdout)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	listed := make(map[string]int)
	for _, r := range records[1:] {
		listed[r[0]+" "+r[2]+" "+r[5]]++
	}
	for _, f := range files {
		for _, r := range f.rejects {
			if r.Digest != "" {
				continue // only its beginning is kept
			}
			// encoding/csv takes CRLF in quotes for LF.
			key := fmt.Sprintf("%s %d %s", f.identity(), r.Line, strings.ReplaceAll(r.Raw, "\r\n", "\n"))
			if listed[key]--; listed[key] != 0 {
				t.Errorf("%s: the reject of line %d is %d times in the list", f.name, r.Line, listed[key]+1)
			}
			delete(listed, key)
		}
	}
	for key := range listed {
		t.Errorf("in the list, and no reject: %.200q", key)
	}
	for _, output := range []string{"text", "json"} {
		replayed := env.Run(t, harness.Command{
			Program: "consumer", Args: []string{"rejects", "replay", "--output", output, "-"}, Stdin: strings.NewReader(list.Stdout),
		}).Exits(t, 3)
		checkShown(t, "rejects replay", replayed.Stdout+replayed.Stderr)
	}
	if diff := cmp.Diff(before, env.Rows(t, "SELECT rows, rejected, sum, revision FROM stats")); diff != "" {
		t.Errorf("statistics: before (-), after the replay (+):\n%s", diff)
	}
}

// checkWatch publishes snapshots of nobody's, and looks at what a watcher shows.
func checkWatch(t *testing.T, env *harness.Env) {
	t.Helper()
	conn := env.Conn(t)
	var watchers []*harness.Process
	for _, output := range []string{"text", "json"} {
		watcher := env.Start(t, harness.Command{Program: "consumer", Args: []string{"stats", "--watch", "--output", output}})
		watcher.WaitForStdout(t, "", 20*time.Second) // the last one published
		watchers = append(watchers, watcher)
	}
	for _, line := range []string{
		"\x1b[2J", `{"revision":1e999}`, `{"metric":"price","database":"` + "\u009b2J\u202e" + `","revision":9000000000,"source":"` + "\u009b2J\u202e\x7f" + `\u001b[2J","first":"\u001b[2J","mean":"5","updated_at":"\r\n"}`,
		"{\"metric\":\"price\",\"database\":\"\xff\",\"revision\":9000000001,\"source\":\"\xff\xfe\"}",
		`{"metric":"price","database":"last","revision":9000000002,"source":"the last one"}`,
	} {
		if err := conn.Publish(topology.SubjectStats, []byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	for _, watcher := range watchers {
		watcher.WaitForStdout(t, "the last one", 20*time.Second)
		watcher.Signal(t, syscall.SIGTERM)
		result := watcher.Wait(t).Exits(t, 0)
		checkShown(t, "stats --watch", result.Stdout)
		checkShown(t, "stats --watch, standard error", result.Stderr)
	}
}

// checkAnswers asks the service about every file, by id and by name, and what
// it can't answer.
func checkAnswers(t *testing.T, env *harness.Env, files []*file) {
	t.Helper()
	conn := env.Conn(t)
	ask := func(what, subject, question string) {
		answer, err := conn.Request(subject, []byte(question), 10*time.Second)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		checkShown(t, what, string(answer.Data))
		for name, values := range answer.Header {
			checkShown(t, what+", header "+name, name+strings.Join(values, ""))
		}
	}
	for _, f := range files {
		for _, request := range []wire.LoadRequest{
			{Source: f.identity(), Missing: 10, Rejects: 1000},
			{Name: f.storedName},
		} {
			question, err := json.Marshal(request)
			if err != nil {
				t.Fatal(err)
			}
			ask(f.name, topology.SubjectLoad, string(question))
		}
		ask(f.name+" as a question", topology.SubjectLoad, f.fileName)
	}
	ask("snapshot", topology.SubjectSnapshot, "\x1b[2J")
}
