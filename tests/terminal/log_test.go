package terminal

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/streamgauge/streamgauge/tests/harness"
)

// progress is what the consumer logs as often as it happens to.
var progress = regexp.MustCompile(`(?m)^.*msg=committed .*\n`)

// TestConsumerLog: each of its lines is one, in words that say what to do.
func TestConsumerLog(t *testing.T) {
	t.Parallel()
	env := harness.New(t, harness.WithOwnNATS())
	consumer := env.StartConsumer(t)
	tr := record(t, env)
	tr.file(t, "a.csv", good)
	tr.file(t, "bad\n\x1b[2J.csv", "timestamp,price,user_id\n1/10/2012,fifty,9\n")
	run := func(args ...string) {
		t.Helper()
		env.Run(t, harness.Command{Program: "producer", Args: args, Dir: tr.folder})
	}
	run("--wait", "a.csv")
	run("--wait", "bad\n\x1b[2J.csv")

	stopped := func(what func()) {
		t.Helper()
		consumer.Signal(t, stop)
		what()
		consumer.Signal(t, resume)
	}
	// While it is stopped nobody says no to what is sent.
	tr.file(t, "other/a.csv", "timestamp,price,user_id\n1/10/2012,51,9\n")
	stopped(func() { run("other/a.csv") })
	consumer.WaitFor(t, "batches are refused", soon)
	tr.file(t, "b.csv", "timestamp,price,user_id\n1/10/2012,52,9\n")
	run("--wait", "b.csv")
	stopped(func() { run("--timezone", "Europe/Madrid", "b.csv") })
	consumer.WaitFor(t, "superseded are ignored", soon)
	tr.file(t, "c.csv", "timestamp,price,user_id\n1/10/2012,53,9\n")
	run("--wait", "c.csv")
	env.Consumer(t, "unload", "--yes", "c.csv").Exits(t, 0)
	stopped(func() { run("c.csv") })
	consumer.WaitFor(t, "unloaded are ignored", soon)

	if _, err := env.JetStream(t).PublishMsg(t.Context(), &nats.Msg{Subject: "rows.price", Data: []byte("no batch"), Header: nats.Header{"A": {"\x1b[2J"}}}); err != nil {
		t.Fatal(err)
	}
	consumer.WaitFor(t, "setting it aside", soon)
	exec(t, env, "ALTER TABLE prices RENAME TO away")
	tr.file(t, "d.csv", "timestamp,price,user_id\n1/10/2012,54,9\n")
	run("d.csv")
	consumer.WaitFor(t, "can't write to PostgreSQL", soon)
	exec(t, env, "ALTER TABLE away RENAME TO prices")
	consumer.WaitFor(t, "name=d.csv", soon)
	env.Server.Stop(t)
	consumer.WaitFor(t, "lost the connection to NATS", soon)
	env.Server.Start(t)
	consumer.WaitFor(t, "reconnected to NATS", soon)
	result := consumer.Terminate(t).Exits(t, 0)
	checkPrintable(t, result.Stderr)
	var lines []string
	told := make(map[string]bool)
	for line := range strings.Lines(progress.ReplaceAllString(result.Stderr, "")) {
		line = tr.steady(line)
		// What it says of a server that goes depends on what it was just doing.
		if !told[line] && !strings.Contains(line, "can't take messages in") && !strings.Contains(line, "NATS reports an error") {
			told[line] = true
			lines = append(lines, line)
		}
	}
	golden(t, "log.golden", strings.Join(lines, ""))
}

// TestProducerWaits: what it says while it can't go on.
func TestProducerWaits(t *testing.T) {
	t.Parallel()
	env := harness.New(t, harness.WithOwnNATS())
	tr := record(t, env)
	producer := env.StartProducer(t, "--wait", "--batch-size", "1000", "--max-bytes", "1048576", "--label", "x", many(t))
	producer.WaitFor(t, "is full", soon)
	env.Server.Stop(t)
	producer.WaitFor(t, "waiting for the connection to NATS", soon)
	env.Server.Start(t)
	producer.WaitFor(t, "connected to NATS again", soon)
	consumer := env.StartConsumer(t)
	producer.WaitWithin(t, 2*time.Minute).Exits(t, 0)
	consumer.Terminate(t)
	queued := env.StartProducer(t, "--wait", env.Sample(t, "2012-1.csv"))
	queued.WaitFor(t, "waiting for the consumer", soon)
	queued.Interrupt(t).Exits(t, 130)
	said := producer.Stderr() + queued.Stderr()
	checkPrintable(t, said)
	// Each line once, however often it was said.
	var lines []string
	seen := make(map[string]bool)
	for line := range strings.Lines(tr.steady(said)) {
		line = regexp.MustCompile(`\d+ of 100000 rows sent, \d+ acked, \d+ committed(.*)\n`).ReplaceAllString(line, "N of 100000 rows sent, N acked, N committed, N rows/s\n")
		line = regexp.MustCompile(`: \d+ of 100 batches`).ReplaceAllString(line, ": N of 100 batches")
		if !seen[line] && !strings.Contains(line, "the broker has lost") {
			seen[line] = true
			lines = append(lines, line)
		}
	}
	golden(t, "waits.golden", strings.Join(lines, ""))
}
