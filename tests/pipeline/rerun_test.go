package pipeline

import (
	"os"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/tests/harness"
	"github.com/streamgauge/streamgauge/tests/oracle"
)

// TestRerun: running a file again changes nothing and says so.
func TestRerun(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.StartConsumer(t)
	path := env.Sample(t, "2012-1.csv")
	env.Producer(t, "--file", path, "--wait").Exits(t, 0)
	first := oracle.FromFile(t, path, "")
	revision := env.Int(t, "SELECT revision FROM stats")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	again := env.File(t, "january.csv", string(content))

	for name, args := range map[string][]string{
		"the same command":   {"--file", path, "--wait"},
		"without waiting":    {"--file", path},
		"another name":       {"--file", again, "--wait"},
		"another batch size": {"--file", path, "--wait", "--batch-size", "3"},
		"both":               {"--file", again, "--batch-size", "7"},
	} {
		t.Run(name, func(t *testing.T) {
			result := env.Producer(t, args...).Exits(t, 0)
			contains(t, "standard output", result.Stdout, "0 new, 22 already loaded")
		})
	}
	if now := env.Int(t, "SELECT revision FROM stats"); now != revision {
		t.Errorf("revision %d became %d: something changed", revision, now)
	}
	oracle.Check(t, env, first)

	t.Run("a label loads it again", func(t *testing.T) {
		result := env.Producer(t, "--file", path, "--label", "second", "--wait").Exits(t, 0)
		contains(t, "standard output", result.Stdout, "22 new, 0 already loaded")
		oracle.Check(t, env, first, oracle.FromFile(t, path, "second"))
	})
}

// TestRerunAfterCutOff stops a load half-way and finishes it with another batch
// size, with a consumer throughout and without one at first.
func TestRerunAfterCutOff(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	consumer := env.StartConsumer(t, "--batches-per-commit", "1")
	path := generate(t, 20_000, 11)
	producer := env.StartProducer(t, "--file", path, "--batch-size", "10", "--wait")
	waitForRows(t, env, 100)
	producer.Kill(t)
	consumer.Kill(t)
	done := env.Int(t, "SELECT done FROM sources")
	if batches := env.Int(t, "SELECT batches FROM sources"); done >= batches {
		t.Fatalf("all %d batches were done before the kill: nothing was tested", batches)
	}

	env.StartConsumer(t)
	result := env.Producer(t, "--file", path, "--batch-size", "1000", "--wait").Exits(t, 0)
	contains(t, "standard error", result.Stderr, "batches of 10")
	oracle.Check(t, env, oracle.FromFile(t, path, ""))
}

// TestChangedFile: the same name with other content is refused, saying which.
func TestChangedFile(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.StartConsumer(t)
	path := env.Sample(t, "2012-1.csv")
	env.Producer(t, "--file", path, "--wait").Exits(t, 0)
	original := oracle.FromFile(t, path, "")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	corrected := env.File(t, "2012-1.csv", strings.Replace(string(content), "1/10/2012,", "1/10/2012,1", 1))
	grown := env.File(t, "2012-1.csv", string(content)+"\n2/1/2012,50,1\n")

	t.Run("corrected", func(t *testing.T) {
		result := env.Producer(t, "--file", corrected, "--wait").Exits(t, 1)
		for _, want := range []string{"2012-1.csv", "--label", "--allow-changed"} {
			contains(t, "standard error", result.Stderr, want)
		}
		if strings.Contains(result.Stderr, "grown") {
			t.Errorf("it has not grown:\n%s", result.Stderr)
		}
	})
	t.Run("grown", func(t *testing.T) {
		result := env.Producer(t, "--file", grown, "--wait").Exits(t, 1)
		for _, want := range []string{"2012-1.csv", "grown", "--allow-changed"} {
			contains(t, "standard error", result.Stderr, want)
		}
	})
	oracle.Check(t, env, original)

	t.Run("allowed", func(t *testing.T) {
		env.Producer(t, "--file", grown, "--allow-changed", "--wait").Exits(t, 0)
		env.Producer(t, "--file", corrected, "--label", "corrected", "--wait").Exits(t, 0)
		oracle.Check(t, env, original, oracle.FromFile(t, grown, ""), oracle.FromFile(t, corrected, "corrected"))
	})
}

// TestChangedFileUnchecked: without a consumer the producer can't check the
// name, and the consumer refuses the batches; a waiting producer is told.
func TestChangedFileUnchecked(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	consumer := env.StartConsumer(t)
	path := env.Sample(t, "2012-1.csv")
	env.Producer(t, "--file", path, "--wait").Exits(t, 0)
	consumer.Terminate(t).Exits(t, 0)

	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := env.File(t, "2012-1.csv", string(content)+"\n2/1/2012,50,1")
	queued := env.Producer(t, "--file", changed).Exits(t, 0)
	contains(t, "standard error", queued.Stderr, "no consumer running")
	waiting := env.StartProducer(t, "--file", changed, "--wait")
	waiting.WaitFor(t, "no consumer running", soon)
	consumer = env.StartConsumer(t)
	result := waiting.Wait(t).Exits(t, 1)
	contains(t, "standard error", result.Stderr, "--allow-changed")
	consumer.WaitFor(t, "refused", soon)
	oracle.Check(t, env, oracle.FromFile(t, path, ""))
}

// TestAllowedAfterAll: a changed file was queued without --allow-changed and
// again with it, before any consumer saw it. It is stored.
func TestAllowedAfterAll(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	consumer := env.StartConsumer(t)
	path := env.Sample(t, "2012-1.csv")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	first := env.File(t, "day.csv", string(content))
	second := env.File(t, "day.csv", string(content)+"\n2/1/2012,50,1\n2/2/2012,51,2")
	env.Producer(t, "--file", first, "--wait").Exits(t, 0)
	consumer.Terminate(t).Exits(t, 0)

	env.Producer(t, "--file", second, "--batch-size", "4").Exits(t, 0)
	env.Producer(t, "--file", second, "--batch-size", "4", "--allow-changed").Exits(t, 0)
	env.StartConsumer(t)
	oracle.CheckStreamEmpty(t, env)
	oracle.Check(t, env, oracle.FromFile(t, first, ""), oracle.FromFile(t, second, ""))
}

// TestReplanWhileWaiting: batches that were sent by another plan than the
// stored one are superseded; a waiting producer learns of it and sends again.
func TestReplanWhileWaiting(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	consumer := env.StartConsumer(t, "--batches-per-commit", "1")
	path := generate(t, 20_000, 12)
	producer := env.StartProducer(t, "--file", path, "--batch-size", "10", "--wait")
	waitForRows(t, env, 100)
	producer.Kill(t)
	consumer.Kill(t)
	// What is left in the queue would finish the load by itself.
	env.Purge(t, "ROWS")

	producer = env.StartProducer(t, "--file", path, "--batch-size", "1000", "--wait")
	producer.WaitFor(t, "no consumer running", soon)
	consumer = env.StartConsumer(t)
	consumer.WaitFor(t, "superseded", soon)
	result := finishes(t, env, producer).Exits(t, 0)
	contains(t, "standard error", result.Stderr, "batches of 10")
	contains(t, "standard error", result.Stderr, ": 20000 sent (")
	oracle.Check(t, env, oracle.FromFile(t, path, ""))
}
