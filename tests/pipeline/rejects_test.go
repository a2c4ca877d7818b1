package pipeline

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"github.com/streamgauge/streamgauge/tests/harness"
	"github.com/streamgauge/streamgauge/tests/oracle"
)

// TestRejects: promises 7 and 8. Each bad record is kept with file, line,
// column, reason and raw bytes, and costs only itself.
func TestRejects(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.StartConsumer(t)
	long := strings.Repeat("x", 70_000)
	lines := []string{
		"\ufefftimestamp,price,user_id\r", // 1, a BOM and CRLF
		"1/1/2012,50,1\r",                 // 2
		"1/2/2012,fifty,2\r",              // 3 price
		"13/1/2012,50,3",                  // 4 timestamp
		"1/3/2012,50",                     // 5 a field is missing
		`\.`,                              // 6 ends a text COPY
		"1/4/2012,5\x000,4",               // 7 NUL
		"\"1/5/2012\",\"51\",\"5\"",       // 8
		"1/6/2012,\"5",                    // 9 a quote spanning lines …
		"2\",6",                           // 10 … up to here: price "5\n2"
		"1/7/2012,,7",                     // 11 null
		"1/8/2012,NaN,8",                  // 12 price
		"1/9/2012,50,",                    // 13 user_id
		"",                                // 14 blank
		"1/10/2012," + long + ",9",        // 15 too long
		"1/11/2012,50.00,\xff\xfe",        // 16 user_id
		"1/12/2012,52.50,12",              // 17
		"\"1/13/2012,53,13",               // 18 the quote is never closed
		"1/14/2012,54,14",                 // 19
	}
	content := strings.Join(lines, "\n")
	path := env.File(t, "bad.csv", content)

	result := env.Producer(t, "--file", path, "--batch-size", "4", "--wait").Exits(t, 3)
	output := result.Stdout + result.Stderr
	contains(t, "the output", output, "bad.csv:3")
	contains(t, "the output", output, "price")
	for _, raw := range []string{"\x00", "\xff", "\ufeff"} {
		if strings.Contains(output, raw) {
			t.Errorf("raw bytes of the file reach the terminal: %q", output)
		}
	}

	stored := env.Rows(t, `SELECT line, "timestamp"::date, price, user_id FROM prices ORDER BY line`)
	if diff := cmp.Diff([][]string{
		{"2", "2012-01-01", "50", "1"},
		{"8", "2012-01-05", "51", "5"},
		{"11", "2012-01-07", "NULL", "7"},
		{"17", "2012-01-12", "52.50", "12"},
		{"19", "2012-01-14", "54", "14"},
	}, stored); diff != "" {
		t.Errorf("rows: want (-), have (+):\n%s", diff)
	}

	const raw = `CASE WHEN length > 100 THEN 'long' ELSE encode(raw, 'escape') END`
	rejects := env.Rows(t, `SELECT name, line, coalesce(column_name, ''), `+raw+`, length, digest IS NOT NULL
		FROM rejects JOIN sources USING (source_id) ORDER BY line`)
	if diff := cmp.Diff([][]string{
		{"bad.csv", "3", "price", "1/2/2012,fifty,2", "16", "f"},
		{"bad.csv", "4", "timestamp", "13/1/2012,50,3", "14", "f"},
		{"bad.csv", "5", "", "1/3/2012,50", "11", "f"},
		{"bad.csv", "6", "", `\\.`, "2", "f"},
		{"bad.csv", "7", "price", `1/4/2012,5\0000,4`, "14", "f"},
		{"bad.csv", "9", "price", "1/6/2012,\"5\n2\",6", "16", "f"},
		{"bad.csv", "12", "price", "1/8/2012,NaN,8", "14", "f"},
		{"bad.csv", "13", "user_id", "1/9/2012,50,", "12", "f"},
		{"bad.csv", "15", "", "long", "70012", "t"},
		{"bad.csv", "16", "user_id", `1/11/2012,50.00,\377\376`, "18", "f"},
		{"bad.csv", "18", "", `"1/13/2012,53,13`, "16", "f"},
	}, rejects); diff != "" {
		t.Errorf("rejects: want (-), have (+):\n%s", diff)
	}
	if n := env.Int(t, `SELECT count(*) FROM rejects WHERE reason = '' OR (digest IS NOT NULL AND
		(octet_length(raw) <> 65536 OR encode(raw, 'escape') NOT LIKE '1/10/2012,xxx%'))`); n != 0 {
		t.Errorf("%d rejects have no reason or the wrong bytes", n)
	}
	if n := env.Int(t, "SELECT rejected FROM stats"); n != 11 {
		t.Errorf("stats count %d rejects, not 11", n)
	}
	env.Consumer(t, "stats").Exits(t, 0)

	t.Run("again", func(t *testing.T) {
		result := env.Producer(t, "--file", path, "--wait").Exits(t, 3)
		contains(t, "standard output", result.Stdout, "0 new, 16 already loaded")
	})
}

// TestGarbage: a message that is no batch is kept whole with its headers,
// counted, and harms nothing else.
func TestGarbage(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.StartConsumer(t)
	js := env.JetStream(t)
	payload := []byte("not a batch \x00\xff\x1b[31m")
	for _, msg := range []*nats.Msg{
		{Subject: "rows.price", Data: payload, Header: nats.Header{"Colour": {"red", "blue"}}},
		{Subject: "rows.elsewhere"},
	} {
		if _, err := js.PublishMsg(t.Context(), msg); err != nil {
			t.Fatal(err)
		}
	}
	path := env.Sample(t, "2012-1.csv")
	env.Producer(t, "--file", path, "--wait").Exits(t, 0)

	dead := env.Rows(t, `SELECT stream_sequence, subject, encode(headers, 'escape'), encode(payload, 'escape'), reason <> '' FROM dead_batches ORDER BY 1`)
	if diff := cmp.Diff([][]string{
		{"1", "rows.price", "NATS/1.0\r\nColour: red\r\nColour: blue\r\n\r\n", `not a batch \000\377` + "\x1b[31m", "t"},
		{"2", "rows.elsewhere", "", "", "t"},
	}, dead); diff != "" {
		t.Errorf("dead batches: want (-), have (+):\n%s", diff)
	}
	if n := env.Int(t, "SELECT dead FROM stats"); n != 2 {
		t.Errorf("stats count %d dead batches, not 2", n)
	}
	oracle.CheckTables(t, env, oracle.FromFile(t, path, ""))
	oracle.CheckStreamEmpty(t, env)
}
