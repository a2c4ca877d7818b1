package pipeline

import (
	"encoding/json"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/tests/harness"
	"github.com/streamgauge/streamgauge/tests/oracle"
)

// figures are those the challenge asks for, as PostgreSQL prints them.
type figures struct{ Rows, Count, Sum, Mean, Min, Max string }

// TestChallenge loads the months, then validation.csv. SELECT, 'consumer stats'
// and the last message on stats.price have to say the same golden figures.
func TestChallenge(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.StartConsumer(t, "--batches-per-commit", "1")
	follower := oracle.Follow(t, env)

	var loads []oracle.Load
	for _, name := range months {
		path := env.Sample(t, name)
		env.Producer(t, "--file", path, "--batch-size", "5", "--wait").Exits(t, 0)
		loads = append(loads, oracle.FromFile(t, path, ""))
	}
	everywhere(t, env, follower, figures{"143", "137", "7412", "54.1021897810218978", "10", "100"})

	path := env.Sample(t, "validation.csv")
	env.Producer(t, "--file", path, "--batch-size", "5", "--wait").Exits(t, 0)
	loads = append(loads, oracle.FromFile(t, path, ""))
	everywhere(t, env, follower, figures{"151", "144", "7656", "53.1666666666666667", "10", "100"})

	oracle.Check(t, env, loads...)
	follower.CheckRising(t)
	// 22 to 31 rows in batches of 5 are 5 to 7, and validation.csv's 8 are 2:
	// each was a transaction, and each transaction was announced.
	if batches, kept := env.Int(t, "SELECT count(*) FROM batches"), follower.Kept(); int64(len(kept)) < batches {
		t.Errorf("%d batches committed one by one, %d snapshots announced", batches, len(kept))
	}
}

func everywhere(t *testing.T, env *harness.Env, follower *oracle.Follower, want figures) {
	t.Helper()
	rows := env.Rows(t, "SELECT count(*), count(price), sum(price), avg(price), min(price), max(price) FROM prices")
	r := rows[0]
	if diff := cmp.Diff(want, figures{r[0], r[1], r[2], r[3], r[4], r[5]}); diff != "" {
		t.Errorf("SELECT: want (-), have (+):\n%s", diff)
	}

	var printed struct {
		Running  oracle.Snapshot `json:"running"`
		Database oracle.Snapshot `json:"database"`
		Agree    bool            `json:"agree"`
	}
	result := env.Consumer(t, "stats", "--output", "json").Exits(t, 0)
	if err := json.Unmarshal([]byte(result.Stdout), &printed); err != nil {
		t.Fatal(err)
	}
	if !printed.Agree {
		t.Errorf("'consumer stats' says they do not agree: %s", result.Stdout)
	}
	for where, s := range map[string]oracle.Snapshot{
		"consumer stats, running": printed.Running,
		"consumer stats, SELECT":  printed.Database,
		"stats.price":             follower.CheckLast(t, env),
	} {
		if diff := cmp.Diff(want, figuresOf(s)); diff != "" {
			t.Errorf("%s: want (-), have (+):\n%s", where, diff)
		}
	}
}

func figuresOf(s oracle.Snapshot) figures {
	return figures{strconv.FormatInt(s.Rows, 10), strconv.FormatInt(s.Count, 10), s.Sum.String(), s.Mean.String(), s.Min.String(), s.Max.String()}
}
