package terminal

import (
	"context"
	"fmt"
	"net"
	"regexp"
	"runtime"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/streamgauge/streamgauge/tests/harness"
	"github.com/streamgauge/streamgauge/tests/images/standin"
)

// strict is a NATS server on which little is allowed: one account without
// JetStream, one with hardly any room, one whose user may publish nothing.
const strict = `
jetstream { store_dir: %q, max_file_store: 100MB }
accounts {
  NONE: { users: [ { user: none, password: s3cret } ] }
  SMALL: { jetstream: { max_file: 1MB }, users: [ { user: small, password: s3cret } ] }
  MUTE: { jetstream: enabled, users: [ { user: mute, password: s3cret, permissions: { publish: { deny: ["rows.>"] } } } ] }
  DEAF: { jetstream: enabled, users: [ { user: deaf, password: s3cret, permissions: { publish: { deny: ["$JS.API.>"] } } } ] }
  UNHEARD: { jetstream: enabled, users: [ { user: unheard, password: s3cret, permissions: { publish: ["rows.>", "$JS.API.>"], subscribe: ["_INBOX.>"] } } ] }
}
`

var listening = regexp.MustCompile(`Listening for client connections on (127\.0\.0\.1:\d+)`)

// server starts a NATS server and returns its host and port.
func server(t *testing.T, env *harness.Env, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	binary, err := standin.NATSServer(ctx, env.Root(), runtime.GOOS, runtime.GOARCH)
	if err != nil {
		t.Fatal(err)
	}
	p := env.Start(t, harness.Command{Program: binary, Args: append([]string{"--addr", "127.0.0.1", "--port", "-1"}, args...)})
	line := p.WaitFor(t, "Listening for client connections", 30*time.Second)
	p.WaitFor(t, "Server is ready", 30*time.Second)
	return listening.FindStringSubmatch(line)[1]
}

// silent is an address at which somebody accepts and says nothing.
func silent(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().String()
}

// TestNATS: what both programs say of a NATS that does not do.
func TestNATS(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	tr := record(t, env)
	tr.file(t, "a.csv", good)
	config := t.TempDir() + "/strict.conf"
	write(t, config, fmt.Sprintf(strict, t.TempDir()))
	strictServer, plainServer := server(t, env, "--config", config), server(t, env)
	for _, c := range []struct {
		what, variable string
	}{
		{"not running", "NATS_URL=nats://127.0.0.1:9"},
		{"several, none running", "NATS_URL=nats://u:s3cret@127.0.0.1:9,nats://127.0.0.1:1"},
		{"no such host", "NATS_URL=nats://no-such-host.invalid:4222"},
		{"not an address", "NATS_URL=nats://u:s3cret%@host:x"},
		{"an address of something else", "NATS_URL=http://127.0.0.1:9"},
		{"no answer", "NATS_URL=nats://" + silent(t)},
		{"wrong password", "NATS_URL=" + otherPassword(t, env.NATSURL)},
		{"no user", "NATS_URL=nats://" + strictServer},
		{"no JetStream", "NATS_URL=nats://" + plainServer},
		{"no JetStream for the account", "NATS_URL=nats://none:s3cret@" + strictServer},
		{"no room for the streams", "NATS_URL=nats://small:s3cret@" + strictServer},
		{"no right to publish", "NATS_URL=nats://mute:s3cret@" + strictServer},
		{"no right to ask JetStream", "NATS_URL=nats://deaf:s3cret@" + strictServer},
	} {
		tr.about(c.what)
		tr.run(t, "producer a.csv --max-bytes 2000000", c.variable)
		if c.what != "no right to publish" { // that is no concern of its
			tr.run(t, "consumer --max-bytes 2000000", c.variable)
		}
	}
	tr.about("no right to ask consumers")
	for _, flag := range []string{"", " --wait"} {
		tr.run(t, "producer a.csv"+flag+" --max-bytes 2000000", "NATS_URL=nats://unheard:s3cret@"+strictServer)
	}
	tr.about("credentials")
	for _, flag := range []string{"--creds absent.creds", "--creds a.csv"} {
		tr.run(t, "producer a.csv "+flag, "NATS_URL=nats://"+strictServer)
		tr.run(t, "consumer "+flag, "NATS_URL=nats://"+strictServer)
	}
	tr.about("contexts")
	tr.run(t, "producer a.csv --context absent", "XDG_CONFIG_HOME="+tr.folder)
	tr.run(t, "consumer --context absent", "XDG_CONFIG_HOME="+tr.folder)
	tr.check(t, "nats.golden", strictServer, "127.0.0.1:PORT", plainServer, "127.0.0.1:PORT")
}

// TestStreams: streams that stand there already, and do not do.
func TestStreams(t *testing.T) {
	t.Parallel()
	rows := jetstream.StreamConfig{
		Name: "ROWS", Subjects: []string{"rows.>"}, Retention: jetstream.WorkQueuePolicy,
		Discard: jetstream.DiscardNew, MaxBytes: 10 << 20, Storage: jetstream.MemoryStorage,
	}
	with := func(change func(*jetstream.StreamConfig)) jetstream.StreamConfig {
		c := rows
		change(&c)
		return c
	}
	var all transcript
	for _, c := range []struct {
		what   string
		stream jetstream.StreamConfig
		after  func(*testing.T, jetstream.JetStream)
	}{
		{"another retention", with(func(c *jetstream.StreamConfig) { c.Retention = jetstream.LimitsPolicy }), nil},
		{"all of it otherwise", with(func(c *jetstream.StreamConfig) {
			c.Retention, c.Discard, c.MaxAge, c.Subjects = jetstream.LimitsPolicy, jetstream.DiscardOld, time.Hour, []string{"rows.*"}
		}), nil},
		{"another discard policy and age", with(func(c *jetstream.StreamConfig) { c.Discard, c.MaxAge = jetstream.DiscardOld, time.Hour }), nil},
		{"its subjects belong to another stream", with(func(c *jetstream.StreamConfig) { c.Name = "OTHER" }), nil},
		{"too small messages", with(func(c *jetstream.StreamConfig) { c.MaxMsgSize = 100 }), nil},
		{"sealed", rows, func(t *testing.T, js jetstream.JetStream) {
			t.Helper()
			sealed := rows
			sealed.Sealed = true
			if _, err := js.UpdateStream(t.Context(), sealed); err != nil {
				t.Fatal(err)
			}
		}},
		{"a durable consumer that is another", rows, func(t *testing.T, js jetstream.JetStream) {
			t.Helper()
			_, err := js.CreateConsumer(t.Context(), "ROWS", jetstream.ConsumerConfig{
				Durable: "price-writer", FilterSubject: "rows.price", AckPolicy: jetstream.AckExplicitPolicy, MaxDeliver: 5,
			})
			if err != nil {
				t.Fatal(err)
			}
		}},
	} {
		env := harness.New(t)
		tr := record(t, env)
		js := env.JetStream(t)
		if _, err := js.CreateStream(t.Context(), c.stream); err != nil {
			t.Fatal(err)
		}
		if c.after != nil {
			c.after(t, js)
		}
		tr.about(c.what)
		tr.file(t, "a.csv", good)
		tr.run(t, "producer a.csv --replicas 1")
		if c.what != "sealed" && c.what != "too small messages" { // with these it runs
			tr.run(t, "consumer")
		}
		all.env, all.folder = env, tr.folder
		all.text.WriteString(tr.steady(tr.text.String()))
	}
	env := harness.New(t)
	tr := record(t, env)
	tr.about("too few servers")
	tr.file(t, "a.csv", good)
	tr.run(t, "producer a.csv --replicas 3")
	tr.run(t, "consumer --replicas 3")
	all.text.WriteString(tr.text.String())
	all.check(t, "streams.golden")
}
