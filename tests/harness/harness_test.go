package harness_test

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/streamgauge/streamgauge/tests/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

func TestEnvironmentsDoNotSeeEachOther(t *testing.T) {
	one, other := harness.New(t), harness.New(t)

	config := jetstream.StreamConfig{Name: "ROWS", Subjects: []string{"rows.>"}, MaxBytes: 1 << 30, Discard: jetstream.DiscardNew}
	js := one.JetStream(t)
	if _, err := js.CreateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), "rows.price", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := other.JetStream(t).Stream(t.Context(), "ROWS"); !errors.Is(err, jetstream.ErrStreamNotFound) {
		t.Errorf("the other account's stream: error %v, want %v", err, jetstream.ErrStreamNotFound)
	}

	if _, err := one.DB.Exec(t.Context(), "CREATE TABLE here (n numeric); INSERT INTO here VALUES (1.50), (NULL)"); err != nil {
		t.Fatal(err)
	}
	const tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
	if got := other.Int(t, tables); got != 0 {
		t.Errorf("tables in the other database: %d, want 0", got)
	}
	want := [][]string{{"1.50"}, {"NULL"}}
	if diff := cmp.Diff(want, one.Rows(t, "SELECT n FROM here ORDER BY n")); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestManyAccounts(t *testing.T) {
	// A stream reserves its MaxBytes when it is made. Together these reserve
	// more than most disks have free.
	for range 20 {
		js := harness.New(t).JetStream(t)
		config := jetstream.StreamConfig{Name: "ROWS", Subjects: []string{"rows.>"}, MaxBytes: 1 << 34}
		if _, err := js.CreateStream(t.Context(), config); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOwnNATSComesBackOnItsPort(t *testing.T) {
	env := harness.New(t, harness.WithOwnNATS())
	js := env.JetStream(t)
	publish := func() {
		t.Helper()
		if _, err := js.CreateOrUpdateStream(t.Context(), jetstream.StreamConfig{Name: "ROWS", Subjects: []string{"rows.>"}}); err != nil {
			t.Fatal(err)
		}
		if _, err := js.Publish(t.Context(), "rows.price", nil); err != nil {
			t.Fatal(err)
		}
	}
	publish()

	env.Server.Kill(t)
	env.Server.Start(t)
	harness.Eventually(t, 10*time.Second, "the stream after a restart", func() (bool, string) {
		stream, err := js.Stream(t.Context(), "ROWS")
		if err != nil {
			return false, err.Error()
		}
		return stream.CachedInfo().State.Msgs == 1, "stream without its message"
	})

	env.Server.Kill(t)
	env.Server.DeleteStore(t)
	env.Server.Start(t)
	harness.Eventually(t, 10*time.Second, "the loss of the stream", func() (bool, string) {
		_, err := js.Stream(t.Context(), "ROWS")
		return errors.Is(err, jetstream.ErrStreamNotFound), "error " + errorText(err)
	})
	publish()
}

func errorText(err error) string {
	if err == nil {
		return "none"
	}
	return err.Error()
}

func TestProcesses(t *testing.T) {
	env := harness.New(t)
	shell := func(script string, args ...string) harness.Command {
		return harness.Command{Program: "/bin/sh", Args: append([]string{"-c", script, "sh"}, args...)}
	}

	t.Run("run to the end", func(t *testing.T) {
		command := shell(`cat; echo "$1 $NATS_URL" >&2; exit 3`, "to")
		command.Stdin = strings.NewReader("data")
		got := env.Run(t, command).Exits(t, 3)
		if got.Stdout != "data" || got.Stderr != "to "+env.NATSURL+"\n" {
			t.Errorf("stdout %q, stderr %q", got.Stdout, got.Stderr)
		}
	})
	t.Run("addresses of the surroundings do not leak in", func(t *testing.T) {
		t.Setenv("PGHOST", "elsewhere")
		t.Setenv("NATS_CONTEXT", "elsewhere")
		got := env.Run(t, shell(`echo "${PGHOST-}${NATS_CONTEXT-}"`)).Exits(t, 0)
		if got.Stdout != "\n" {
			t.Errorf("variables: %q", got.Stdout)
		}
	})
	t.Run("wait for a line, then end by signals", func(t *testing.T) {
		polite := env.Start(t, shell(`trap 'echo bye; exit 0' TERM; echo it is ready >&2; while :; do sleep 0.05; done`))
		if line := polite.WaitFor(t, "ready", 10*time.Second); line != "it is ready" {
			t.Errorf("line %q", line)
		}
		if got := polite.Terminate(t).Exits(t, 0); got.Stdout != "bye\n" {
			t.Errorf("stdout %q", got.Stdout)
		}
		stubborn := env.Start(t, shell(`trap '' TERM; echo it is ready >&2; while :; do sleep 0.05; done`))
		stubborn.WaitFor(t, "ready", 10*time.Second)
		if got := stubborn.Kill(t); got.Signal != syscall.SIGKILL || got.Code != -1 {
			t.Errorf("signal %v, code %d", got.Signal, got.Code)
		}
	})
}
