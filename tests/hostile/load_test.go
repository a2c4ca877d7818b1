package hostile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/streamgauge/streamgauge/shared/topology"
	"github.com/streamgauge/streamgauge/shared/wire"
	"github.com/streamgauge/streamgauge/tests/harness"
	"github.com/streamgauge/streamgauge/tests/oracle"
)

// batchSize makes most files several batches.
const batchSize = "3"

// TestCorpus loads the whole corpus with the real programs and servers, first
// into the queue, without a consumer, and then into the database. It compares
// what the producer says, what is in the messages and what is in the tables
// with what the cases say, and looks at all that any command shows on the way.
func TestCorpus(t *testing.T) {
	t.Parallel()
	files := readCorpus(t)
	env := harness.New(t)
	groups := write(t, files)

	produceAll(t, env, groups)
	messages := queued(t, env)
	t.Run("messages", func(t *testing.T) { checkMessages(t, files, messages) })
	planted := append(plant(t, env), plantRaw(t, env)...)

	consumer := env.StartConsumer(t)
	runs := produceAll(t, env, groups, "--wait")
	for i, group := range groups {
		t.Run("producer "+strings.Join(group.args, " "), func(t *testing.T) { group.checkRun(t, runs[i], true) })
	}
	t.Run("tables", func(t *testing.T) { checkTables(t, env, files) })
	t.Run("statistics", func(t *testing.T) {
		harness.Eventually(t, 20*time.Second, "what was planted is set aside", func() (bool, string) {
			n := env.Int(t, "SELECT dead FROM stats")
			return n == int64(len(planted)), fmt.Sprintf("%d dead batches of %d", n, len(planted))
		})
		env.Consumer(t, "stats").Exits(t, 0)
		oracle.CheckStreamEmpty(t, env)
		checkDead(t, env, planted)
	})
	t.Run("dry run", func(t *testing.T) {
		for i, run := range produceAll(t, env, groups, "--dry-run") {
			groups[i].checkRun(t, run, false)
		}
	})
	t.Run("shown", func(t *testing.T) { checkCommands(t, env, groups, files) })
	result := consumer.Terminate(t).Exits(t, 0)
	checkShown(t, "the consumer's log", result.Stderr)
	checkShown(t, "the consumer's standard output", result.Stdout)
}

// group is the files that are loaded with the same arguments, by one producer.
type group struct {
	args  []string
	files []*file
	paths []string
}

// write writes the files to disk, by the names they are to have.
func write(t *testing.T, files []*file) []*group {
	t.Helper()
	dir := t.TempDir()
	byArgs := make(map[string]*group)
	var groups []*group
	for _, f := range files {
		path := filepath.Join(dir, f.fileName)
		if err := os.WriteFile(path, f.content, 0o600); err != nil {
			t.Fatal(err)
		}
		key := strings.Join(f.args, "\x00")
		g := byArgs[key]
		if g == nil {
			g = &group{args: f.args}
			byArgs[key] = g
			groups = append(groups, g)
		}
		g.files = append(g.files, f)
		g.paths = append(g.paths, path)
	}
	return groups
}

// produceAll runs a producer for each group, all at once, looks at what they
// show, and returns how they ended.
func produceAll(t *testing.T, env *harness.Env, groups []*group, options ...string) []harness.Result {
	t.Helper()
	processes := make([]*harness.Process, len(groups))
	for i, g := range groups {
		args := slices.Concat([]string{"--output", "json", "--batch-size", batchSize}, options, g.args, fileArgs(g.paths))
		processes[i] = env.StartProducer(t, args...)
	}
	results := make([]harness.Result, len(groups))
	for i, p := range processes {
		results[i] = p.Wait(t)
		what := fmt.Sprintf("the producer with %q", slices.Concat(options, groups[i].args))
		checkShownJSON(t, what+", standard output", results[i].Stdout)
		checkShown(t, what+", standard error", results[i].Stderr)
	}
	return results
}

func fileArgs(paths []string) []string {
	args := make([]string, 0, 2*len(paths))
	for _, path := range paths {
		args = append(args, "--file", path)
	}
	return args
}

// summary is what the producer's JSON says of a file.
type summary struct {
	File     string `json:"file"`
	Source   string `json:"source"`
	State    string `json:"state"`
	Records  int64  `json:"records"`
	Rows     *int64 `json:"rows"`
	Rejected *int64 `json:"rejected"`
	Rejects  []struct {
		Line   int64  `json:"line"`
		Column string `json:"column"`
		Reason string `json:"reason"`
		Raw    string `json:"raw"`
	} `json:"rejects"`
	Error string `json:"error"`
}

// checkRun holds what a producer with --wait, or with --dry-run, says of each
// file against the case.
func (g *group) checkRun(t *testing.T, run harness.Result, waited bool) {
	t.Helper()
	done := "checked"
	if waited {
		done = "committed"
	}
	lines := strings.Split(strings.TrimSuffix(run.Stdout, "\n"), "\n")
	if len(lines) != len(g.files) {
		t.Fatalf("%d summaries of %d files\n%s", len(lines), len(g.files), run.Stderr)
	}
	code := 0
	for i, f := range g.files {
		var got summary
		if err := json.Unmarshal([]byte(lines[i]), &got); err != nil {
			t.Fatal(err)
		}
		if got.File != f.storedName {
			t.Errorf("%s: it is called %q, not %q", f.name, got.File, f.storedName)
		}
		switch {
		case f.refused != "":
			code = 1
			if got.State != "failed" || !strings.Contains(got.Error, f.refused) {
				t.Errorf("%s: %s, error %q, not %q", f.name, got.State, got.Error, f.refused)
			}
		case f.empty && waited:
			if got.State != "empty" || got.Records != 0 {
				t.Errorf("%s: %s with %d records", f.name, got.State, got.Records)
			}
		default:
			f.checkSummary(t, got, done)
			if len(f.rejects) > 0 && code == 0 {
				code = 3
			}
		}
	}
	if len(g.files) == 1 && g.files[0].refused != "" {
		code = 1
	}
	run.Exits(t, code)
}

func (f *file) checkSummary(t *testing.T, got summary, state string) {
	t.Helper()
	if got.State != state || got.Source != f.identity() || got.Records != f.records() ||
		got.Rows == nil || *got.Rows != int64(len(f.rows)) || got.Rejected == nil || *got.Rejected != int64(len(f.rejects)) {
		t.Errorf("%s: %+v; want %s, %d rows, %d rejects, %s", f.name, got, state, len(f.rows), len(f.rejects), f.identity())
		return
	}
	const listed, excerpt = 5, 200
	want := f.rejects[:min(len(f.rejects), listed)]
	if len(got.Rejects) != len(want) {
		t.Errorf("%s: %d rejects are listed, not %d", f.name, len(got.Rejects), len(want))
		return
	}
	for i, w := range want {
		// As JSON has it: each byte that is no UTF-8 has become U+FFFD.
		raw := string([]rune(w.Raw[:min(len(w.Raw), excerpt)]))
		if g := got.Rejects[i]; g.Line != w.Line || g.Column != w.Column || g.Reason != w.Reason || g.Raw != raw {
			t.Errorf("%s: %+v is listed, want line %d, column %q, %q: %q", f.name, g, w.Line, w.Column, w.Reason, raw)
		}
	}
}

// queued returns every message of the stream, which no consumer has touched.
func queued(t *testing.T, env *harness.Env) []*jetstream.RawStreamMsg {
	t.Helper()
	stream, err := env.JetStream(t).Stream(t.Context(), topology.StreamRows)
	if err != nil {
		t.Fatal(err)
	}
	state := stream.CachedInfo().State
	messages := make([]*jetstream.RawStreamMsg, 0, state.Msgs)
	for sequence := state.FirstSeq; sequence <= state.LastSeq; sequence++ {
		msg, err := stream.GetMsg(t.Context(), sequence)
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, msg)
	}
	return messages
}

// checkMessages looks at the headers of every message, and puts the bodies of
// each source together: they are the file's own bytes.
func checkMessages(t *testing.T, files []*file, messages []*jetstream.RawStreamMsg) {
	t.Helper()
	byIdentity := make(map[string]*file)
	for _, f := range files {
		byIdentity[f.identity()] = f
	}
	records := make(map[string]int64)
	var decoder wire.Decoder
	for _, msg := range messages {
		for name, values := range msg.Header {
			for _, value := range append(values, name) {
				if i := strings.IndexFunc(value, func(r rune) bool { return r < ' ' || r > '~' }); i >= 0 {
					t.Errorf("message %d: header %s: %q", msg.Sequence, name, value)
				}
			}
		}
		batch, err := decoder.Decode(msg.Header, msg.Data)
		if err != nil {
			t.Errorf("message %d: %v", msg.Sequence, err)
			continue
		}
		f := byIdentity[batch.Source]
		switch {
		case f == nil:
			t.Errorf("message %d is of no file: %s", msg.Sequence, batch.Source)
			continue
		case batch.Name != f.storedName:
			t.Errorf("%s: called %q in message %d", f.name, batch.Name, msg.Sequence)
		case batch.Long != nil && !bytes.Contains(f.content, batch.Body):
			t.Errorf("%s: the bytes of message %d are not the file's", f.name, msg.Sequence)
		}
		records[batch.Source] += int64(batch.Records)
	}
	for _, f := range files {
		if n := records[f.identity()]; n != f.records() {
			t.Errorf("%s: %d records in its messages, not %d", f.name, n, f.records())
		}
	}
}

// checkTables compares the tables with the cases, source by source.
func checkTables(t *testing.T, env *harness.Env, files []*file) {
	t.Helper()
	rows, rejects := storedRows(t, env), storedRejects(t, env)
	sources := make(map[string]string)
	for _, source := range env.Rows(t, "SELECT identity, name FROM sources WHERE done = batches") {
		sources[source[0]] = source[1]
	}
	for _, f := range files {
		id := f.identity()
		name, stored := sources[id]
		if wanted := f.records() > 0; stored != wanted || stored && name != f.storedName {
			t.Errorf("%s: stored: %t, as %q; want %t, as %q", f.name, stored, name, wanted, f.storedName)
		}
		if diff := cmp.Diff(f.rows, rows[id]); diff != "" {
			t.Errorf("%s: rows: want (-), have (+):\n%s", f.name, diff)
		}
		if !slices.Equal(f.rejects, rejects[id]) {
			t.Run(f.name, func(t *testing.T) { compareRejects(t, f.rejects, rejects[id]) })
		}
		delete(sources, id)
		delete(rows, id)
		delete(rejects, id)
	}
	if len(sources)+len(rows)+len(rejects) > 0 {
		t.Errorf("there are sources of no file: %q, rows of %d, rejects of %d", sources, len(rows), len(rejects))
	}
}

func storedRows(t *testing.T, env *harness.Env) map[string][]row {
	t.Helper()
	rows := make(map[string][]row)
	for _, r := range env.Rows(t, `SELECT identity, line, (extract(epoch FROM "timestamp") * 1000000)::bigint, price, user_id
		FROM prices JOIN sources USING (source_id) ORDER BY line, user_id`) {
		var stored row
		if _, err := fmt.Sscan(strings.Join([]string{r[1], r[2], r[3], r[4]}, " "), &stored.Line, &stored.Micros, &stored.Price, &stored.UserID); err != nil {
			t.Fatal(err)
		}
		rows[r[0]] = append(rows[r[0]], stored)
	}
	return rows
}

func storedRejects(t *testing.T, env *harness.Env) map[string][]reject {
	t.Helper()
	query, err := env.DB.Query(t.Context(), `SELECT identity, line, coalesce(column_name, ''), reason, raw, length, coalesce(encode(digest, 'hex'), '')
		FROM rejects JOIN sources USING (source_id) ORDER BY line`)
	if err != nil {
		t.Fatal(err)
	}
	defer query.Close()
	rejects := make(map[string][]reject)
	for query.Next() {
		var identity string
		var raw []byte
		var r reject
		if err := query.Scan(&identity, &r.Line, &r.Column, &r.Reason, &raw, &r.Length, &r.Digest); err != nil {
			t.Fatal(err)
		}
		r.Raw = string(raw)
		rejects[identity] = append(rejects[identity], r)
	}
	if err := query.Err(); err != nil {
		t.Fatal(err)
	}
	return rejects
}
