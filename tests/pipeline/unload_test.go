package pipeline

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/tests/harness"
	"github.com/streamgauge/streamgauge/tests/oracle"
)

// TestUnload: a load that was taken back has left nothing, the others are as they
// were, and the same content comes back only under a label.
func TestUnload(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.StartConsumer(t)
	follower := oracle.Follow(t, env)
	months := []string{"2012-1.csv", "2012-2.csv", "2012-3.csv"}
	loads := make([]oracle.Load, len(months))
	for i, name := range months {
		env.Producer(t, "--file", env.Sample(t, name), "--batch-size", "5", "--wait").Exits(t, 0)
		loads[i] = oracle.FromFile(t, env.Sample(t, name), "")
	}
	bad := env.File(t, "bad.csv", "timestamp,price,user_id\n1/1/2012,1000000,1\n1/2/2012,x,2\n1/3/2012,y,3\n")
	env.Producer(t, "--file", bad, "--wait").Exits(t, 3)
	exported := env.Consumer(t, "rejects", "export", "bad.csv").Exits(t, 0).Stdout
	mended := strings.Replace(exported, ",x,", ",0.0001,", 1)
	env.Consumer(t, "rejects", "replay", env.File(t, "mended.csv", mended)).Exits(t, 3)

	asked := env.Consumer(t, "unload", "bad.csv").Exits(t, 2)
	contains(t, "standard error", asked.Stderr, "give --yes")
	result := env.Consumer(t, "unload", "bad.csv", "--yes").Exits(t, 0)
	contains(t, "standard output", result.Stdout, "bad.csv: 2 rows, 1 reject, 1 batch taken back\nleft: rows 82, ")
	oracle.Check(t, env, loads...)
	if n := env.Int(t, "SELECT count(*) FROM corrections"); n != 0 {
		t.Errorf("%d corrections are left", n)
	}
	follower.CheckLast(t, env)

	id := loads[1].ID
	result = env.Consumer(t, "unload", id[:10], "--yes", "--output", "json").Exits(t, 0)
	contains(t, "standard output", result.Stdout, `{"source":"`+id+`","name":"2012-2.csv","rows":29,"rejected":0,"batches":6,"stats":{"metric":"price",`)
	oracle.Check(t, env, loads[0], loads[2])
	follower.CheckLast(t, env)
	contains(t, "the loads", env.Consumer(t, "loads").Exits(t, 0).Stdout, "2012-2.csv  unloaded\n  id      "+id+"\n")

	for _, args := range [][]string{{"--wait"}, {}} {
		refused := env.Producer(t, append([]string{"--file", env.Sample(t, "2012-2.csv")}, args...)...).Exits(t, 1)
		contains(t, "standard error", refused.Stderr, "it was loaded and taken back")
	}
	gone := env.Consumer(t, "unload", id, "--yes").Exits(t, 1)
	contains(t, "standard error", gone.Stderr, "was unloaded. 'producer --label NAME' loads it again")
	unknown := env.Consumer(t, "unload", "no such.csv", "--yes").Exits(t, 1)
	contains(t, "standard error", unknown.Stderr, "'consumer loads' lists what is")

	env.Producer(t, "--file", env.Sample(t, "2012-2.csv"), "--label", "again", "--wait").Exits(t, 0)
	// The name that it had is free for other content.
	env.Producer(t, "--file", env.File(t, "bad.csv", "timestamp,price,user_id\n1/1/2012,7,1\n"), "--wait").Exits(t, 0)
	oracle.CheckStreamEmpty(t, env)
	if rows := env.Int(t, "SELECT count(*) FROM prices JOIN sources USING (source_id) WHERE retired_at IS NOT NULL"); rows != 0 {
		t.Errorf("%d rows of what was taken back", rows)
	}
	contains(t, "the comparison", env.Consumer(t, "stats").Exits(t, 0).Stdout, "They agree.")
}

// TestUnloadWhileLoading takes a load back that two consumers are writing: none
// of it stays, and what is still queued changes nothing.
func TestUnloadWhileLoading(t *testing.T) {
	t.Parallel()
	const rounds, rows = 6, 30_000
	for range rounds {
		seed := rand.Uint64()
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 0))
			env := harness.New(t)
			env.StartConsumer(t, "--batches-per-commit", "4")
			env.StartConsumer(t, "--batches-per-commit", "4")
			other := env.Sample(t, "2012-1.csv")
			env.Producer(t, "--file", other, "--batch-size", "1", "--wait").Exits(t, 0)
			follower := oracle.Follow(t, env)
			path := generate(t, rows, seed)
			loading := env.StartProducer(t, "--file", path, "--batch-size", "50", "--wait")
			waitForRows(t, env, 23+random.Int64N(rows*2/3))
			id := oracle.FromFile(t, path, "").ID
			env.Consumer(t, "unload", id, "--yes").Exits(t, 0)
			result := loading.Wait(t)
			switch result.Code {
			case 0: // all was committed before it was taken back
			case 1:
				contains(t, "standard error", result.Stderr, "it was loaded and taken back")
			default:
				t.Errorf("the producer's exit code is %d:\n%s", result.Code, result.Stderr)
			}
			oracle.Check(t, env, oracle.FromFile(t, other, ""))
			follower.CheckLast(t, env)
		})
	}
}
