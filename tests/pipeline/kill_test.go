package pipeline

import (
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"

	"github.com/streamgauge/streamgauge/tests/harness"
	"github.com/streamgauge/streamgauge/tests/oracle"
)

// manyRows is what the tests load that kill or race something.
const manyRows = 200_000

// TestKilled: promises 1, 2 and 4. The consumer is killed several times while
// 2,000 batches are under way, then the producer; then the same command again.
func TestKilled(t *testing.T) {
	t.Parallel()
	t.Run("200,000 rows", func(t *testing.T) {
		t.Parallel()
		killed(t, harness.New(t), manyRows, "100")
	})
	t.Run("the figures of each commit", func(t *testing.T) {
		t.Parallel()
		env := harness.New(t)
		env.Consumer(t, "migrate", "up").Exits(t, 0)
		oracle.CheckCommits(t, env)
		killed(t, env, manyRows/10, "10") // all rows are read for each commit
	})
}

func killed(t *testing.T, env *harness.Env, rows int64, batchSize string) {
	t.Helper()
	path := generate(t, rows, 21)

	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	producer := env.StartProducer(t, "--file", path, "--batch-size", batchSize, "--wait")
	producerKilled := false
	for stored := int64(0); stored < rows*3/4; {
		// Few batches a commit make many commits, and a kill at any of them.
		consumer := env.StartConsumer(t, "--batches-per-commit", "4")
		stored += 1 + random.Int64N(rows/8)
		waitForRows(t, env, stored)
		consumer.Kill(t)
		stored = env.Int(t, "SELECT rows FROM stats")
		if !producerKilled && stored > rows/3 {
			producer.Kill(t)
			producerKilled = true
		}
	}
	if !producerKilled {
		t.Fatal("the producer was never killed")
	}
	follower := oracle.Follow(t, env)
	env.StartConsumer(t)
	env.Producer(t, "--file", path, "--batch-size", batchSize, "--wait").Exits(t, 0)
	oracle.Check(t, env, oracle.FromFile(t, path, ""))
	follower.CheckRising(t)
	follower.CheckLast(t, env)
}

// TestTwoConsumers: the same with two consumers that share the work.
func TestTwoConsumers(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	first := env.StartConsumer(t, "--batches-per-commit", "8")
	second := env.StartConsumer(t, "--batches-per-commit", "8")
	follower := oracle.Follow(t, env)
	path := generate(t, manyRows, 22)
	env.Producer(t, "--file", path, "--batch-size", "100", "--wait").Exits(t, 0)
	oracle.Check(t, env, oracle.FromFile(t, path, ""))
	last := follower.CheckLast(t, env)
	if kept := follower.Kept(); kept[len(kept)-1].Revision != last.Revision {
		t.Errorf("the highest revision kept is %d, the last one %d", kept[len(kept)-1].Revision, last.Revision)
	}
	for name, consumer := range map[string]*harness.Process{"first": first, "second": second} {
		result := consumer.Terminate(t).Exits(t, 0)
		contains(t, "the "+name+" consumer's log", result.Stderr, "committed")
	}
}

// TestTerminated: promises 4 and 12. SIGTERM ends either within five seconds, and
// nothing in hand is lost, also where nobody waits who would send it again.
func TestTerminated(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	queued, waited := generate(t, manyRows, 23), generate(t, manyRows/10, 24)
	consumer := env.StartConsumer(t, "--batches-per-commit", "4")
	producer := env.StartProducer(t, "--file", queued, "--batch-size", "100")
	waitForRows(t, env, manyRows/10)
	result := endsInTime(t, env, consumer)
	contains(t, "the consumer's log", result.Stderr, "stopped")
	if strings.Contains(result.Stderr, "stopped before the transactions in hand were finished") {
		t.Errorf("the transactions in hand were not finished:\n%s", result.Stderr)
	}
	producer.Wait(t).Exits(t, 0)

	producer = env.StartProducer(t, "--file", waited, "--batch-size", "100", "--wait")
	producer.WaitFor(t, "no consumer running", soon)
	promise := env.Promised(t, endsWithin)
	producer.Signal(t, syscall.SIGINT)
	interrupted := promise.Ends(t, producer).Exits(t, 130)
	contains(t, "standard error", interrupted.Stderr, "same command")
	env.StartConsumer(t)
	env.Producer(t, "--file", waited, "--batch-size", "100", "--wait").Exits(t, 0)
	waitForRows(t, env, manyRows+manyRows/10)
	oracle.Check(t, env, oracle.FromFile(t, queued, ""), oracle.FromFile(t, waited, ""))
}
