package operations

import (
	"context"
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/streamgauge/streamgauge/sandbox/gen"
	"github.com/streamgauge/streamgauge/sandbox/postgres"
	"github.com/streamgauge/streamgauge/shared/stats"
	"github.com/streamgauge/streamgauge/tests/harness"
	"github.com/streamgauge/streamgauge/tests/oracle"
)

// TestBackupAndRestore: a dump taken in the middle of a load is consistent in
// itself. Restored, with nothing but an empty broker beside it, it takes the
// missing batches once the files are loaded again, and no row twice.
func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	env := harness.New(t, harness.WithOwnNATS())
	server, err := postgres.Start(t.Context(), postgres.Config{Settings: map[string]string{"fsync": "off"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	tool := func(name string, args ...string) {
		t.Helper()
		if output, err := exec.CommandContext(t.Context(), filepath.Join(server.Binaries().Dir, name), args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, output)
		}
	}
	consumer := func(database string, args ...string) harness.Command {
		return harness.Command{Program: "consumer", Args: args, Env: []string{"DATABASE_URL=" + database}}
	}

	original := server.URL()
	running := env.Start(t, consumer(original))
	running.WaitFor(t, "msg=ready", 2*time.Minute)
	sample := env.Sample(t, "2012-1.csv")
	env.Producer(t, "--file", sample, "--wait").Exits(t, 0)
	const rows = 50_000
	large := filepath.Join(t.TempDir(), "large.csv")
	if err := gen.WriteFile(t.Context(), large, gen.Config{Rows: rows, Seed: 91}); err != nil {
		t.Fatal(err)
	}
	producer := env.StartProducer(t, "--file", large, "--batch-size", "50", "--wait")
	db := open(t, original)
	harness.Eventually(t, 30*time.Second, "the load is under way", func() (bool, string) {
		n := one[int64](t, db, "SELECT rows FROM stats")
		return n > 22+500, fmt.Sprint(n)
	})
	dump := filepath.Join(t.TempDir(), "streamgauge.dump")
	tool("pg_dump", "--format=custom", "--file", dump, "--dbname", original)
	producer.Wait(t).Exits(t, 0)
	oldRevision := one[int64](t, db, "SELECT revision FROM stats")
	oldID := one[string](t, db, "SELECT database::text FROM stats")
	running.Terminate(t).Exits(t, 0)

	// Everything is lost but the dump and the files.
	env.Server.Stop(t)
	env.Server.DeleteStore(t)
	env.Server.Start(t)
	address, err := url.Parse(original)
	if err != nil {
		t.Fatal(err)
	}
	address.Path = "/restored"
	restored := address.String()
	tool("createdb", "--maintenance-db", original, "restored")
	tool("pg_restore", "--dbname", restored, "--exit-on-error", "--no-owner", "--no-privileges", dump)
	db = open(t, restored)
	kept := one[int64](t, db, "SELECT rows FROM stats")
	t.Logf("the dump has %d of %d rows", kept, rows+22)
	if kept < 522 || one[int64](t, db, "SELECT revision FROM stats") > oldRevision {
		t.Errorf("the dump has %d rows", kept)
	}
	env.Run(t, consumer(restored, "stats")).Exits(t, 0)
	// What docs/operations.md has people do, so that subscribers take what follows.
	newID := one[string](t, db, "UPDATE stats SET database = gen_random_uuid() RETURNING database::text")

	heard, err := env.Conn(t).SubscribeSync("stats.price")
	if err != nil {
		t.Fatal(err)
	}
	running = env.Start(t, consumer(restored))
	running.WaitFor(t, "msg=ready", 2*time.Minute)
	msg, err := heard.NextMsg(20 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err := stats.Decode(msg.Data)
	if err != nil || snapshot.Database != newID || !snapshot.Supersedes(&stats.Snapshot{Database: oldID, Revision: oldRevision}) {
		t.Errorf("%v: subscribers are told %s", err, msg.Data)
	}
	if said := env.Producer(t, "--file", sample, "--wait").Exits(t, 0).Stdout; !strings.Contains(said, "0 new, 22 already loaded") {
		t.Error(said)
	}
	said := env.Producer(t, "--file", large, "--batch-size", "50", "--wait").Exits(t, 0).Stdout
	if want := fmt.Sprintf("%d new, %d already loaded", rows+22-kept, kept-22); !strings.Contains(said, want) {
		t.Errorf("%q lacks %q", said, want)
	}
	for _, path := range []string{sample, large} {
		env.Run(t, consumer(restored, "verify", path)).Exits(t, 0)
	}
	env.Run(t, consumer(restored, "stats")).Exits(t, 0)
	oracle.CheckStreamEmpty(t, env)
	running.Terminate(t).Exits(t, 0)
}

func open(t *testing.T, address string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

func one[T any](t *testing.T, db *pgx.Conn, query string) (value T) {
	t.Helper()
	if err := db.QueryRow(t.Context(), query).Scan(&value); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return value
}
