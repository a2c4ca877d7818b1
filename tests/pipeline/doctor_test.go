package pipeline

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/streamgauge/streamgauge/tests/harness"
	"github.com/streamgauge/streamgauge/tests/oracle"
)

// changing is what of the doctor's findings depends on the servers.
var changing = regexp.MustCompile(`version \d[^\n]*|pulls waiting: \d+`)

// TestDoctor: all findings at once, in 80 columns, from servers that have
// nothing to servers that are set up wrong.
func TestDoctor(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	says := func(code int, want string) {
		t.Helper()
		out := env.Consumer(t, "doctor").Exits(t, code).Stdout
		for line := range strings.Lines(out) {
			if len([]rune(line)) > 81 {
				t.Errorf("more than 80 columns: %q", line)
			}
		}
		// The servers for tests sync nothing, which some of them are told.
		out = regexp.MustCompile(`warning  PostgreSQL  fsync is off(?s:.*?)matter\n`).ReplaceAllString(out, "")
		out = regexp.MustCompile(`ok       PostgreSQL  commits are on disk(?s:.*?)\)\n`).ReplaceAllString(out, "")
		if diff := cmp.Diff(want, changing.ReplaceAllString(out, "…")); diff != "" {
			t.Errorf("want -, got +\n%s", diff)
		}
	}

	says(1, `ok       NATS        …
ok       NATS        JetStream is on
ok       NATS        there is no stream ROWS yet: the consumer makes it
ok       NATS        there is no stream STATS yet: the consumer makes it
ok       PostgreSQL  …
ok       PostgreSQL  its clock agrees with this machine's
problem  PostgreSQL  migrations that the schema lacks: 3. Start a consumer, or
                     run 'consumer migrate up'
`)

	consumer := env.StartConsumer(t)
	env.Producer(t, "--file", env.Sample(t, "2012-1.csv"), "--wait").Exits(t, 0)
	const streams = `ok       NATS        …
ok       NATS        JetStream is on
ok       NATS        its clock agrees with this machine's
ok       NATS        stream ROWS: file storage, R1; a power cut may cost acked
                     messages, which --wait sends again
ok       NATS        stream STATS: file storage, R1; a power cut may cost acked
                     messages, which --wait sends again
`
	const database = `ok       PostgreSQL  …
ok       PostgreSQL  its clock agrees with this machine's
ok       PostgreSQL  the schema is up to date
ok       PostgreSQL  the role may store batches, replay, unload and verify
`
	oracle.CheckStreamEmpty(t, env)
	says(0, streams+`ok       NATS        batches queued: 0, 0.0 MiB
ok       NATS        durable consumer price-writer: in hand: 0, …
`+database)

	consumer.Terminate(t)
	env.Producer(t, "--file", env.Sample(t, "2012-2.csv"), "--batch-size", "29").Exits(t, 0)
	says(0, streams+`ok       NATS        batches queued: 1, 0.0 MiB
warning  NATS        batches that wait, and no consumer takes them: 1. Start a
                     consumer
`+database)

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	js := env.JetStream(t)
	stream, err := js.Stream(ctx, "ROWS")
	if err != nil {
		t.Fatal(err)
	}
	config := stream.CachedInfo().Config
	config.MaxAge, config.Discard = time.Hour, jetstream.DiscardOld
	if _, err := js.UpdateStream(ctx, config); err != nil {
		t.Fatal(err)
	}
	if _, err := env.DB.Exec(ctx, "UPDATE streamgauge_migrations SET version_id = 99999 WHERE version_id = (SELECT max(version_id) FROM streamgauge_migrations)"); err != nil {
		t.Fatal(err)
	}
	result := env.Consumer(t, "doctor", "--output", "json").Exits(t, 1)
	var problems []string
	for line := range strings.Lines(result.Stdout) {
		var f struct {
			Level string `json:"level"`
			Of    string `json:"of"`
			Text  string `json:"text"`
		}
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatal(err)
		}
		if f.Level == "problem" {
			problems = append(problems, f.Of+": "+f.Text)
		}
	}
	for i, want := range []string{"its discard policy is DiscardOld, not DiscardNew; it drops messages after 1h0m0s", "99999"} {
		if len(problems) != 2 || !strings.Contains(problems[i], want) {
			t.Errorf("problems %q, want two, with %q", problems, want)
		}
	}
}

// TestDoctorWithoutServers: both are told at once, and no password is.
func TestDoctorWithoutServers(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	result := env.Run(t, harness.Command{Program: "consumer", Args: []string{"doctor"}, Env: []string{
		"NATS_URL=nats://u:s3cret@127.0.0.1:1", "DATABASE_URL=postgres://u:s3cret@127.0.0.1:1/d",
	}}).Exits(t, 1)
	const want = `problem  NATS        cannot reach NATS at nats://u:xxxxx@127.0.0.1:1: connection
                     refused. Start it with 'docker compose up -d nats', or set
                     NATS_URL
problem  PostgreSQL  cannot reach PostgreSQL at postgres://u@127.0.0.1:1/d:
                     connection refused. Start it with 'docker compose up -d
                     postgres', or set DATABASE_URL
`
	if diff := cmp.Diff(want, result.Stdout); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}
}
