package pipeline

import (
	"math/rand/v2"
	"syscall"
	"testing"

	"github.com/streamgauge/streamgauge/tests/harness"
	"github.com/streamgauge/streamgauge/tests/oracle"
)

// manyRows is what the tests load that kill or race something.
const manyRows = 200_000

// TestKilled: promises 1, 2 and 4. The consumer is killed several times while
// 200,000 rows are under way, then the producer; then the same command again.
func TestKilled(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	path := generate(t, manyRows, 21)
	const batchSize = "100"

	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	producer := env.StartProducer(t, "--file", path, "--batch-size", batchSize, "--wait")
	producerKilled := false
	for stored := int64(0); stored < manyRows*3/4; {
		// Few batches a commit make many commits, and a kill at any of them.
		consumer := env.StartConsumer(t, "--batches-per-commit", "4")
		stored += 1 + random.Int64N(manyRows/8)
		waitForRows(t, env, stored)
		consumer.Kill(t)
		stored = env.Int(t, "SELECT rows FROM stats")
		if !producerKilled && stored > manyRows/3 {
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

// TestTerminated: promise 12. SIGTERM ends either within five seconds, and
// nothing in hand is lost.
func TestTerminated(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	path := generate(t, manyRows, 23)
	consumer := env.StartConsumer(t, "--batches-per-commit", "4")
	producer := env.StartProducer(t, "--file", path, "--batch-size", "100", "--wait")
	waitForRows(t, env, manyRows/10)
	result := endsInTime(t, env, consumer)
	contains(t, "the consumer's log", result.Stderr, "stopped")
	promise := env.Promised(t, endsWithin)
	producer.Signal(t, syscall.SIGINT)
	interrupted := promise.Ends(t, producer).Exits(t, 130)
	contains(t, "standard error", interrupted.Stderr, "same command")
	env.StartConsumer(t)
	env.Producer(t, "--file", path, "--batch-size", "100", "--wait").Exits(t, 0)
	oracle.Check(t, env, oracle.FromFile(t, path, ""))
}
