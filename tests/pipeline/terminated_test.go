package pipeline

import (
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/tests/harness"
)

// TestTerminatedBeforeItWasDone: a command that SIGTERM ends before its work is done
// does not exit as if it were.
func TestTerminatedBeforeItWasDone(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	consumer := env.StartConsumer(t)
	path := env.Sample(t, "2012-1.csv")
	bad := env.File(t, "bad.csv", "timestamp,price,user_id\n1/1/2012,five,1\n")
	env.Producer(t, "--wait", path, bad).Exits(t, 3)
	list := env.File(t, "list.csv", strings.Replace(env.Consumer(t, "rejects", "export").Exits(t, 0).Stdout, "five", "5", 1))
	consumer.Terminate(t).Exits(t, 0)

	tx := begin(t, env, "somebody else", "LOCK TABLE prices IN ACCESS EXCLUSIVE MODE")
	for _, args := range [][]string{{"unload", "--yes", "2012-1.csv"}, {"verify", path}, {"stats"}, {"rejects", "replay", list}} {
		command := env.Start(t, harness.Command{Program: "consumer", Args: args})
		harness.Eventually(t, soon, "it waits for the lock", func() (bool, string) {
			return env.Int(t, "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'prices'::regclass") == 1, "not yet"
		})
		result := command.Terminate(t).Exits(t, 1)
		contains(t, strings.Join(args, " "), result.Stderr, "consumer: terminated before it was done. Run the same command again\n")
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]int64{"SELECT rows FROM stats": 22, "SELECT rejected FROM stats": 1, "SELECT revision FROM stats": 2} {
		if n := env.Int(t, query); n != want {
			t.Errorf("%s: %d, not %d", query, n, want)
		}
	}
	env.Consumer(t, "stats").Exits(t, 0)
}
