package pipeline

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"github.com/streamgauge/streamgauge/shared/wire"
	"github.com/streamgauge/streamgauge/tests/harness"
	"github.com/streamgauge/streamgauge/tests/oracle"
)

// TestRejectsReplay: corrected records go in once, also when two replay them at
// the same time and while a consumer writes.
func TestRejectsReplay(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.StartConsumer(t)
	const records = 1200
	var content strings.Builder
	content.WriteString("timestamp,price,user_id\n")
	load := oracle.Load{Name: "bad.csv", Records: records}
	for i := range int64(records) {
		row := oracle.Row{Line: i + 2, Time: time.Date(2012, 1, 1+int(i%28), 0, 0, 0, 0, time.UTC), Price: fmt.Sprintf("%d.5", i), UserID: i}
		price := row.Price
		if i%2 == 1 {
			price = "x" + price
		}
		fmt.Fprintf(&content, "1/%d/2012,%s,%d\n", 1+i%28, price, i)
		load.Rows = append(load.Rows, row)
	}
	load.ID = oracle.ID([]byte(content.String()), "")
	path := env.File(t, "bad.csv", content.String())
	env.Producer(t, "--file", path, "--batch-size", "7", "--wait").Exits(t, 3)

	exported := env.Consumer(t, "rejects", "export", "bad.csv").Exits(t, 0)
	contains(t, "standard error", exported.Stderr, "600 records")
	list, err := csv.NewReader(strings.NewReader(exported.Stdout)).ReadAll()
	if err != nil || len(list) != 601 {
		t.Fatalf("%d lines in the list, %v", len(list), err)
	}
	again := env.Consumer(t, "rejects", "replay", env.File(t, "as-it-was.csv", exported.Stdout)).Exits(t, 3)
	contains(t, "standard error", again.Stderr, "0 corrected, 600 still wrong, 0 no reject")

	corrected := env.File(t, "corrected.csv", strings.ReplaceAll(exported.Stdout, ",x", ","))
	other := generate(t, 60_000, 77)
	writing := env.StartProducer(t, "--file", other, "--batch-size", "20", "--wait")
	waitForRows(t, env, 700)
	var replays sync.WaitGroup
	lines := make([]string, 2)
	for i := range lines {
		process := env.Start(t, harness.Command{Program: "consumer", Args: []string{"rejects", "replay", corrected}})
		replays.Go(func() {
			<-process.Exited()
			lines[i] = process.Stderr()
		})
	}
	replays.Wait()
	done := 0
	for _, line := range lines {
		var n, wrong, not int
		if _, err := fmt.Sscanf(lastLine(line), "consumer: %d corrected, %d still wrong, %d no reject", &n, &wrong, &not); err != nil || n+not != 600 || wrong != 0 {
			t.Errorf("%v: %s", err, line)
		}
		done += n
	}
	if done != 600 {
		t.Errorf("%d corrected, not 600: %q", done, lines)
	}
	writing.Wait(t).Exits(t, 0)
	oracle.Check(t, env, load, oracle.FromFile(t, other, ""))
	env.Consumer(t, "stats").Exits(t, 0)
	contains(t, "standard error", env.Consumer(t, "rejects", "replay", corrected).Exits(t, 0).Stderr, "0 corrected, 0 still wrong, 600 no reject")
	contains(t, "standard output", env.Consumer(t, "rejects", "ls").Exits(t, 0).Stdout, "no reject\n")
	if v := verifyJSON(t, env, 0, "--limit", "3", path); !v.Same || cmp.Diff([]int64{3, 5, 7}, v.CorrectedLines) != "" {
		t.Errorf("verify: %+v", v)
	}
	contains(t, "the producer", env.Producer(t, "--file", path, "--wait").Exits(t, 0).Stdout, "0 new, 1200 already loaded")
}

// TestRejectsShown: what the commands say of rejects.
func TestRejectsShown(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.StartConsumer(t)
	content := "timestamp,price,user_id\n1/2/2012,\x1b[31m,2\n\"1/3/2012\",\"5\n6\",3\n1/4/2012," + strings.Repeat("7", 70_000) + ",4\n"
	path := env.File(t, "bad.csv", content)
	env.Producer(t, "--file", path, "--wait").Exits(t, 3)
	golden(t, "ls", env.Consumer(t, "rejects", "ls", "bad.csv").Exits(t, 0).Stdout, `
bad.csv:2  "1/2/2012,\x1b[31m,2"
  price: not a decimal number: expected digits with an optional sign, decimal
  point and exponent
bad.csv:3  "\"1/3/2012\",\"5\n6\",3"
  price: not a decimal number: expected digits with an optional sign, decimal
  point and exponent
bad.csv:5  "1/4/2012,7777777777777777777777777777777777777777777777777777777777…
  record is longer than 64 KiB
  70011 bytes; only the first 65536 are kept. SHA-256 of all:
  `+oracle.ID([]byte("1/4/2012,"+strings.Repeat("7", 70_000)+",4"), "")+"\n")
	golden(t, "ls --limit", env.Consumer(t, "rejects", "ls", "--limit", "0").Exits(t, 0).Stdout, "\nand 3 more: --limit -1 lists all\n")
	shown := env.Consumer(t, "rejects", "show", "bad.csv", "3").Exits(t, 0).Stdout
	contains(t, "show", shown, "  record\n    \"\\\"1/3/2012\\\",\\\"5\\n6\\\",3\"\n")
	exported := env.Consumer(t, "rejects", "export").Exits(t, 0)
	contains(t, "export", exported.Stderr, "2 records")
	contains(t, "export", exported.Stderr, "1 left out: of a record over 64 KiB only the beginning is kept")
	for line := range strings.Lines(env.Consumer(t, "rejects", "ls", "--output", "json").Exits(t, 0).Stdout) {
		var v struct {
			Name   string `json:"name"`
			Reason string `json:"reason"`
		}
		if err := json.Unmarshal([]byte(line), &v); err != nil || v.Name != "bad.csv" || v.Reason == "" {
			t.Errorf("%v: %s", err, line)
		}
	}
	replayed := env.Run(t, harness.Command{
		Program: "consumer", Args: []string{"rejects", "replay", "/dev/stdin"}, Stdin: strings.NewReader(exported.Stdout),
	}).Exits(t, 3)
	contains(t, "replay from a pipe", replayed.Stderr, "0 corrected, 2 still wrong")
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no such source": {[]string{"rejects", "ls", "nothing.csv"}, 1, `"nothing.csv" is not loaded. 'consumer loads' lists what is`},
		"no such line":   {[]string{"rejects", "show", "bad.csv", "77"}, 1, `line 77 of "bad.csv" is no reject. 'consumer rejects ls' lists those there are`},
		"no number":      {[]string{"rejects", "show", "bad.csv", "x"}, 2, `"x" is no line number. See 'consumer rejects show --help'`},
		"no command":     {[]string{"rejects"}, 2, "'consumer rejects' needs ls, show, export or replay. See 'consumer rejects --help'"},
		"near command":   {[]string{"rejects", "reply"}, 2, `no command "reply": did you mean 'consumer rejects replay'? See 'consumer rejects --help'`},
		"no list":        {[]string{"rejects", "replay", "nowhere.csv"}, 1, "nowhere.csv: no such file. Check the path"},
		"other list":     {[]string{"rejects", "replay", path}, 1, "the list has no column source. 'consumer rejects export' writes one that has"},
		"empty list":     {[]string{"rejects", "replay", env.File(t, "e.csv", "")}, 1, "the list is empty. 'consumer rejects export' writes one"},
		"broken list": {
			[]string{"rejects", "replay", env.File(t, "b.csv", "source,line,record\nbad.csv,2,1/1/2012,5,6\n")},
			1,
			"line 2 of the list is no CSV: wrong number of fields. Quote the record, and double the quotes in it",
		},
		"two records": {
			[]string{"rejects", "replay", env.File(t, "b.csv", "source,line,record\nbad.csv,2,\"1/1/2012,5,6\n1/1/2012,5,6\"\n")},
			3,
			"0 corrected, 1 still wrong, 0 no reject or corrected already",
		},
	} {
		t.Run(name, func(t *testing.T) {
			golden(t, "standard error", lastLine(env.Consumer(t, c.args...).Exits(t, c.code).Stderr), "\nconsumer: "+c.want)
		})
	}
}

// TestDeadReplay: a message that can be decoded by now is stored once, also
// when two replay it at the same time; one that can't stays.
func TestDeadReplay(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	consumer := env.StartConsumer(t)
	js := env.JetStream(t)
	if _, err := js.PublishMsg(t.Context(), &nats.Msg{Subject: "rows.price", Data: []byte("no batch \x1b[2J")}); err != nil {
		t.Fatal(err)
	}
	waitForDead(t, env, 1)
	consumer.Terminate(t).Exits(t, 0)
	path := env.Sample(t, "2012-1.csv")
	env.Producer(t, "--file", path).Exits(t, 0)
	// The batch is set aside as an older consumer would that knows less of it.
	stream, err := js.Stream(t.Context(), "ROWS")
	if err != nil {
		t.Fatal(err)
	}
	msg, err := stream.GetLastMsgForSubject(t.Context(), "rows.price")
	if err != nil {
		t.Fatal(err)
	}
	var block strings.Builder
	block.WriteString("NATS/1.0\r\n")
	for name, values := range msg.Header {
		fmt.Fprintf(&block, "%s: %s\r\n", name, values[0])
	}
	block.WriteString("Nats-Msg-Id: once\r\n\r\n")
	if err := stream.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	// NATS has had a message of this id a moment ago.
	once := nats.Header{nats.MsgIdHdr: {"once"}}
	had, err := js.PublishMsg(t.Context(), &nats.Msg{Subject: "rows.price", Header: once})
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.DeleteMsg(t.Context(), had.Sequence); err != nil {
		t.Fatal(err)
	}
	env.Rows(t, `INSERT INTO dead_batches (stream_sequence, stream_time, subject, headers, payload, reason, claimed_source, claimed_batch)
		VALUES ($1, $2, 'rows.price', $3, $4, 'too new', $5, 1) RETURNING dead_batch_id`,
		int64(msg.Sequence), msg.Time, []byte(block.String()), msg.Data, msg.Header.Get(wire.HeaderSource))
	env.Rows(t, "UPDATE stats SET dead = dead + 1 RETURNING dead")
	listed := env.Consumer(t, "dead", "ls").Exits(t, 0).Stdout
	contains(t, "ls", listed, fmt.Sprintf("%d bytes on rows.price, batch 1 of ", len(msg.Data)))
	contains(t, "ls", listed, "  too new\n")
	contains(t, "show", env.Consumer(t, "dead", "show", "1").Exits(t, 0).Stdout, `"no batch \x1b[2J"`)

	env.StartConsumer(t)
	first := env.Start(t, harness.Command{Program: "consumer", Args: []string{"dead", "replay", "--all"}})
	second := env.Start(t, harness.Command{Program: "consumer", Args: []string{"dead", "replay", "--all"}})
	results := []harness.Result{first.Wait(t).Exits(t, 3), second.Wait(t).Exits(t, 3)}
	given := 0
	for _, result := range results {
		contains(t, "standard output", result.Stdout, "1  kept: ")
		if strings.Contains(result.Stderr, "1 given back to the stream, 1 kept") {
			given++
		}
	}
	if given != 1 {
		t.Errorf("given back by %d of two: %+v", given, results)
	}
	waitForRows(t, env, 22)
	oracle.CheckTables(t, env, oracle.FromFile(t, path, ""))
	oracle.CheckStreamEmpty(t, env)
	if n := env.Int(t, "SELECT dead FROM stats"); n != 1 {
		t.Errorf("%d dead, not 1", n)
	}
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no such id": {[]string{"dead", "show", "99"}, 1, "no dead batch has the id 99. 'consumer dead ls' lists those there are"},
		"no id":      {[]string{"dead", "replay", "x"}, 2, `"x" is no ID, as 'consumer dead ls' shows it. See 'consumer dead replay --help'`},
		"nothing":    {[]string{"dead", "replay"}, 2, "give the IDs, as 'consumer dead ls' shows them, or --all. See 'consumer dead replay --help'"},
	} {
		t.Run(name, func(t *testing.T) {
			golden(t, "standard error", lastLine(env.Consumer(t, c.args...).Exits(t, c.code).Stderr), "\nconsumer: "+c.want)
		})
	}
}

// golden compares a text that stands after a line break, and holds it to 80
// columns where it has more than one line.
func golden(t *testing.T, what, have, want string) {
	t.Helper()
	if diff := cmp.Diff(strings.TrimPrefix(want, "\n"), have); diff != "" {
		t.Errorf("%s: want (-), have (+):\n%s", what, diff)
	}
	if strings.Count(have, "\n") > 1 {
		narrow(t, what, have)
	}
}

func narrow(t *testing.T, what, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 80 {
			t.Errorf("%s: %d columns: %s", what, n, line)
		}
	}
}
