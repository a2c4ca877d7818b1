package pipeline

import (
	"context"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/tests/harness"
	"github.com/streamgauge/streamgauge/tests/oracle"
)

// TestStoreDeleted: the broker is killed and loses everything under
// a running producer, while it publishes and while it waits.
func TestStoreDeleted(t *testing.T) {
	t.Parallel()
	env := harness.New(t, harness.WithOwnNATS())
	path := generate(t, manyRows, 31)
	consumer := env.StartConsumer(t, "--batches-per-commit", "4")
	producer := env.StartProducer(t, "--file", path, "--batch-size", "25", "--wait")
	waitForRows(t, env, manyRows/20)
	loseStore(t, env)
	// More than the consumer still had in hand, so that some was sent again.
	waitForRows(t, env, manyRows/4)

	// Now with all of it queued and none being taken out.
	consumer.Kill(t)
	waitForQueue(t, env)
	loseStore(t, env)
	env.StartConsumer(t)
	finishes(t, env, producer).Exits(t, 0)
	oracle.Check(t, env, oracle.FromFile(t, path, ""))
}

// TestStreamPurged: messages vanish although the stream and its sequences stay.
func TestStreamPurged(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	path := env.Sample(t, "2012-3.csv")
	env.StartConsumer(t).Terminate(t).Exits(t, 0)
	producer := env.StartProducer(t, "--file", path, "--batch-size", "2", "--wait")
	waitForQueue(t, env)
	env.Purge(t, "ROWS")
	env.StartConsumer(t)
	finishes(t, env, producer).Exits(t, 0)
	oracle.Check(t, env, oracle.FromFile(t, path, ""))
}

func loseStore(t *testing.T, env *harness.Env) {
	t.Helper()
	env.Server.Kill(t)
	env.Server.DeleteStore(t)
	env.Server.Start(t)
}

// waitForQueue waits until something is in the stream and nothing more comes.
func waitForQueue(t *testing.T, env *harness.Env) {
	t.Helper()
	js := env.JetStream(t)
	var last uint64
	harness.Eventually(t, soon, "the file is queued", func() (bool, string) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		stream, err := js.Stream(ctx, "ROWS")
		if err != nil {
			return false, err.Error()
		}
		state := stream.CachedInfo().State
		grown := state.LastSeq != last
		last = state.LastSeq
		return state.Msgs > 0 && !grown, "still growing"
	})
}
