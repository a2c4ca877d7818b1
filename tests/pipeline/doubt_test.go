package pipeline

import (
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/streamgauge/streamgauge/tests/harness"
	"github.com/streamgauge/streamgauge/tests/oracle"
	"github.com/streamgauge/streamgauge/tests/proxy"
)

// withoutReply is the environment of a command that never hears of its first
// COMMIT, which takes effect: the connection is cut before the answer arrives.
func withoutReply(t *testing.T, env *harness.Env) []string {
	t.Helper()
	var lost atomic.Bool
	t.Cleanup(func() {
		if !lost.Load() {
			t.Error("no COMMIT was answered")
		}
	})
	return throughPostgres(t, env, func(frame *proxy.Frame) proxy.Verdict {
		if frame.Kind == "CommandComplete" && frame.SQL == "COMMIT" && lost.CompareAndSwap(false, true) {
			return proxy.Cut
		}
		return proxy.Pass
	})
}

func throughPostgres(t *testing.T, env *harness.Env, judge proxy.Judge) []string {
	t.Helper()
	address, err := url.Parse(env.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	between := proxy.Postgres(t, address.Host)
	between.SetJudge(judge)
	address.Host = between.Address()
	return []string{"DATABASE_URL=" + address.String()}
}

// TestUnloadWithoutReply: what this very call took back is told as that, with its
// figures, also when PostgreSQL's answer to its COMMIT was lost.
func TestUnloadWithoutReply(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.StartConsumer(t)
	for _, name := range months[:2] {
		env.Producer(t, "--file", env.Sample(t, name), "--batch-size", "5", "--wait").Exits(t, 0)
	}
	result := env.Run(t, harness.Command{Program: "consumer", Args: []string{"unload", "--yes", "2012-1.csv"}, Env: withoutReply(t, env)}).Exits(t, 0)
	contains(t, "standard output", result.Stdout, "2012-1.csv: 22 rows, 0 rejects, 5 batches taken back\nleft: rows 29, ")
	oracle.Check(t, env, oracle.FromFile(t, env.Sample(t, "2012-2.csv"), ""))
	// Whoever comes later has taken nothing back.
	again := env.Consumer(t, "unload", "--yes", oracle.FromFile(t, env.Sample(t, "2012-1.csv"), "").ID).Exits(t, 1)
	contains(t, "standard error", again.Stderr, "was unloaded. 'producer --label NAME' loads it again")
}

// TestRejectsReplayWithoutReply: what this very call corrected is told as that,
// and nothing else is.
func TestRejectsReplayWithoutReply(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.StartConsumer(t)
	path := env.File(t, "bad.csv", "timestamp,price,user_id\n1/1/2012,x,1\n1/2/2012,y,2\n1/3/2012,z,3\n")
	env.Producer(t, "--file", path, "--wait").Exits(t, 3)
	exported := env.Consumer(t, "rejects", "export").Exits(t, 0).Stdout
	// One of them was corrected before, in the same way.
	mended := strings.NewReplacer(",x,", ",1,", ",y,", ",2,", ",z,", ",3,").Replace(exported)
	var before strings.Builder
	for line := range strings.Lines(exported) {
		if !strings.Contains(line, ",x,") && !strings.Contains(line, ",y,") {
			before.WriteString(strings.Replace(line, ",z,", ",3,", 1))
		}
	}
	env.Consumer(t, "rejects", "replay", env.File(t, "before.csv", before.String())).Exits(t, 0)

	list := env.File(t, "mended.csv", mended)
	result := env.Run(t, harness.Command{Program: "consumer", Args: []string{"rejects", "replay", list}, Env: withoutReply(t, env)}).Exits(t, 0)
	contains(t, "standard error", result.Stderr, "2 corrected, 0 still wrong, 1 no reject or corrected already")
	again := env.Consumer(t, "rejects", "replay", list).Exits(t, 0)
	contains(t, "standard error", again.Stderr, "0 corrected, 0 still wrong, 3 no reject or corrected already")
	if sum := env.Int(t, "SELECT sum::bigint FROM stats"); sum != 6 {
		t.Errorf("the sum is %d, not 6", sum)
	}
	env.Consumer(t, "stats").Exits(t, 0)
}

// TestDeadReplayWithoutReply: a message whose row is gone was given back. One that
// is not there costs a line, and keeps no other one from being replayed.
func TestDeadReplayWithoutReply(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	path := env.Sample(t, "2012-1.csv")
	ids := setAside(t, env, path, "8")

	replay := []string{"dead", "replay", ids[0], "98", "99", ids[1], ids[2]}
	result := env.Run(t, harness.Command{Program: "consumer", Args: replay, Env: withoutReply(t, env)}).Exits(t, 1)
	contains(t, "standard error", result.Stderr, "consumer: 3 given back to the stream, 0 kept, 2 not found\n"+
		"consumer: no dead batch has the ids 98 99. 'consumer dead ls' lists those there are\n")
	if n := env.Int(t, "SELECT dead FROM stats"); n != 0 {
		t.Errorf("%d dead", n)
	}
	env.StartConsumer(t)
	waitForRows(t, env, 22)
	oracle.Check(t, env, oracle.FromFile(t, path, ""))
}

// TestDeadReplayBeforeCommit: what fails between the publish and the COMMIT is
// tried again, without a second publish.
func TestDeadReplayBeforeCommit(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	path := env.Sample(t, "2012-1.csv")
	ids := setAside(t, env, path, "100")
	var cut atomic.Bool
	environ := throughPostgres(t, env, func(frame *proxy.Frame) proxy.Verdict {
		if frame.Kind == "Bind" && strings.Contains(frame.SQL, "DELETE FROM dead_batches") && cut.CompareAndSwap(false, true) {
			return proxy.Cut
		}
		return proxy.Pass
	})
	result := env.Run(t, harness.Command{Program: "consumer", Args: append([]string{"dead", "replay"}, ids...), Env: environ}).Exits(t, 0)
	contains(t, "standard error", result.Stderr, "consumer: 1 given back to the stream, 0 kept\n")
	if n := env.Int(t, "SELECT dead + (SELECT count(*) FROM dead_batches) FROM stats"); n != 0 || !cut.Load() {
		t.Errorf("%d dead; cut: %t", n, cut.Load())
	}
	stream, err := env.JetStream(t).Stream(t.Context(), "ROWS")
	if err != nil {
		t.Fatal(err)
	}
	if n := stream.CachedInfo().State.Msgs; n != 1 {
		t.Errorf("%d messages in the stream", n)
	}
	env.StartConsumer(t)
	waitForRows(t, env, 22)
	oracle.Check(t, env, oracle.FromFile(t, path, ""))
}

// setAside publishes a file and moves its messages to where dead ones are, as an
// older consumer would that knows less of them. It returns their ids there.
func setAside(t *testing.T, env *harness.Env, path, batchSize string) (ids []string) {
	t.Helper()
	env.StartConsumer(t).Terminate(t).Exits(t, 0)
	env.Producer(t, "--file", path, "--batch-size", batchSize).Exits(t, 0)
	stream, err := env.JetStream(t).Stream(t.Context(), "ROWS")
	if err != nil {
		t.Fatal(err)
	}
	for sequence := uint64(1); sequence <= stream.CachedInfo().State.LastSeq; sequence++ {
		msg, err := stream.GetMsg(t.Context(), sequence)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, env.Rows(t, `INSERT INTO dead_batches (stream_sequence, stream_time, subject, headers, payload, reason)
			VALUES ($1, $2, $3, $4, $5, 'too new') RETURNING dead_batch_id`,
			int64(msg.Sequence), msg.Time, msg.Subject, block(msg.Header), msg.Data)[0][0])
		env.Rows(t, "UPDATE stats SET dead = dead + 1 RETURNING dead")
	}
	if err := stream.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	return ids
}

// block is a header block as NATS carries it.
func block(header nats.Header) []byte {
	text := "NATS/1.0\r\n"
	for name, values := range header {
		text += fmt.Sprintf("%s: %s\r\n", name, values[0])
	}
	return []byte(text + "\r\n")
}
