package pipeline

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"github.com/streamgauge/streamgauge/shared/record"
	"github.com/streamgauge/streamgauge/shared/topology"
	"github.com/streamgauge/streamgauge/shared/wire"
	"github.com/streamgauge/streamgauge/tests/harness"
	"github.com/streamgauge/streamgauge/tests/oracle"
)

// waitForDead waits until so many messages have been set aside.
func waitForDead(t *testing.T, env *harness.Env, n int64) {
	t.Helper()
	harness.Eventually(t, time.Minute, fmt.Sprintf("%d messages are set aside", n), func() (bool, string) {
		dead := env.Int(t, "SELECT count(*) FROM dead_batches")
		return dead == n, fmt.Sprintf("%d are", dead)
	})
}

// send publishes without waiting for each answer.
func send(t *testing.T, env *harness.Env, messages ...*nats.Msg) {
	t.Helper()
	conn := env.Conn(t)
	for _, msg := range messages {
		if err := conn.PublishMsg(msg); err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.FlushTimeout(20 * time.Second); err != nil {
		t.Fatal(err)
	}
}

// TestStatusLines: messages that look like the server's own answers to a pull,
// more of them than may be in hand at once. Each is garbage and nothing else.
func TestStatusLines(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	consumer := env.StartConsumer(t)
	const copies = topology.MaxAckPending + 76
	lines := []nats.Header{
		{"Status": {"100"}, "Description": {"Idle Heartbeat"}},
		{"Status": {"100"}, "Description": {"FlowControl Request"}},
		{"Status": {"404"}, "Description": {"No Messages"}},
		{"Status": {"408"}, "Description": {"Request Timeout"}},
		{"Status": {"409"}, "Description": {"Consumer Deleted"}},
		{"Status": {"409"}, "Description": {"Message Size Exceeds MaxBytes"}},
		{"Status": {"409"}, "Description": {"Batch Completed"}},
		{"Status": {"503"}},
	}
	var messages []*nats.Msg
	for i := range copies {
		messages = append(messages, &nats.Msg{Subject: topology.SubjectRows, Header: lines[i%len(lines)]})
	}
	send(t, env, messages...)
	path := env.Sample(t, "2012-1.csv")
	env.Producer(t, "--file", path, "--wait").Exits(t, 0)
	waitForDead(t, env, copies)
	oracle.CheckTables(t, env, oracle.FromFile(t, path, ""))
	oracle.CheckStreamEmpty(t, env)
	if log := consumer.Stderr(); strings.Contains(log, "can't take messages in") {
		t.Errorf("a message was taken for the server's word:\n%s", log)
	}
}

// TestTwoBatchesClaimOneLine: batches of one source that both say they begin at
// line 2, with a bad record each. A producer sends no such thing; the consumer
// stores both rejects and goes on.
func TestTwoBatchesClaimOneLine(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	consumer := env.StartConsumer(t)
	var messages []*nats.Msg
	for number, body := range map[int64]string{1: "bad,1\n", 2: "bad,2\n"} {
		batch := &wire.Batch{
			Source: oracle.ID([]byte("by hand"), ""), Name: "by-hand.csv", Size: 100,
			Number: number, Batches: 2, FirstLine: 2, Records: 1, Body: []byte(body),
			Plan: wire.Plan{Format: record.Format{Delimiter: ",", Fields: 3, Price: 1, UserID: 2}, BatchSize: 1},
		}
		header, err := batch.Encode()
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, &nats.Msg{Subject: topology.SubjectRows, Header: header, Data: batch.Body})
	}
	send(t, env, messages...)
	path := env.Sample(t, "2012-1.csv")
	env.Producer(t, "--file", path, "--wait").Exits(t, 0)
	harness.Eventually(t, soon, "both rejects are stored", func() (bool, string) {
		n := env.Int(t, "SELECT count(*) FROM rejects")
		return n == 2, fmt.Sprintf("%d are", n)
	})
	rejects := env.Rows(t, `SELECT name, batch, line, encode(raw, 'escape') FROM rejects JOIN sources USING (source_id) ORDER BY batch`)
	if diff := cmp.Diff([][]string{{"by-hand.csv", "1", "2", "bad,1"}, {"by-hand.csv", "2", "2", "bad,2"}}, rejects); diff != "" {
		t.Errorf("rejects: want (-), have (+):\n%s", diff)
	}
	if n := env.Int(t, "SELECT count(*) FROM prices"); n != int64(len(oracle.FromFile(t, path, "").Rows)) {
		t.Errorf("%d rows beside them", n)
	}
	env.Consumer(t, "stats").Exits(t, 0)
	oracle.CheckStreamEmpty(t, env)
	consumer.Terminate(t).Exits(t, 0)
}

// TestQuestionWithNUL: PostgreSQL's text can't hold a NUL, so that no source
// has one in its name; the asker is at fault and not the database.
func TestQuestionWithNUL(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	consumer := env.StartConsumer(t)
	conn := env.Conn(t)
	for name, c := range map[string]struct {
		question wire.LoadRequest
		code     string
	}{
		"name":             {wire.LoadRequest{Name: "a\x00b"}, "400"},
		"source":           {wire.LoadRequest{Source: "\x00"}, "400"},
		"nothing":          {wire.LoadRequest{}, "400"},
		"an honest name":   {wire.LoadRequest{Name: "nobody.csv"}, ""},
		"an honest source": {wire.LoadRequest{Source: oracle.ID(nil, "")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			question, err := json.Marshal(c.question)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := conn.Request(topology.SubjectLoad, question, 10*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			if code := answer.Header.Get("Nats-Service-Error-Code"); code != c.code {
				t.Errorf("got %q %s, want %q", code, answer.Data, c.code)
			}
		})
	}
	if log := consumer.Stderr(); strings.Contains(log, "can't answer") {
		t.Errorf("the database was asked:\n%s", log)
	}
}

// TestLargerPayloads: the server takes larger messages than when the consumer
// connected. One larger than a pull's bytes comes alone.
func TestLargerPayloads(t *testing.T) {
	t.Parallel()
	env := harness.New(t, harness.WithOwnNATS())
	consumer := env.StartConsumer(t)
	env.Server.Stop(t)
	env.Server.MaxPayload = 8 << 20
	env.Server.Start(t)

	const large = 6 << 20
	path := env.Sample(t, "2012-1.csv")
	send(t, env,
		&nats.Msg{Subject: topology.SubjectRows, Data: make([]byte, large)},
		&nats.Msg{Subject: topology.SubjectRows, Data: make([]byte, 100)},
		&nats.Msg{Subject: topology.SubjectRows, Data: make([]byte, 3<<20)},
		&nats.Msg{Subject: topology.SubjectRows, Data: make([]byte, large)})
	env.Producer(t, "--file", path, "--wait").Exits(t, 0)
	waitForDead(t, env, 4)
	if n := env.Int(t, "SELECT max(octet_length(payload)) FROM dead_batches"); n != large {
		t.Errorf("the largest set aside has %d bytes, not %d", n, large)
	}
	oracle.CheckTables(t, env, oracle.FromFile(t, path, ""))
	oracle.CheckStreamEmpty(t, env)
	consumer.Terminate(t).Exits(t, 0)
}
