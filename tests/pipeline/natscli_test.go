package pipeline

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/tests/harness"
)

// TestNATSCommandLine: the nats CLI prints one line of JSON a change and
// nothing else, and gives the last one to whoever comes late.
func TestNATSCommandLine(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	install := exec.CommandContext(t.Context(), "make", "-C", env.Root(), "nats")
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("install the nats command line: %v\n%s", err, out)
	}
	cli := filepath.Join(env.Root(), "bin", "nats")

	env.StartConsumer(t, "--batches-per-commit", "1")
	subscriber := env.Start(t, harness.Command{Program: cli, Args: []string{"sub", "--raw", "stats.price"}, Env: []string{"NATS_URL=" + env.NATSURL}})
	js := env.JetStream(t)
	harness.Eventually(t, soon, "the subscriber hears", func() (bool, string) {
		// Not a snapshot, so that no consumer follows it; the stream keeps it
		// only until the first one.
		_, err := js.Publish(t.Context(), "stats.price", []byte("{}"))
		out := subscriber.Stdout()
		return err == nil && out != "", out
	})
	env.Producer(t, "--file", env.Sample(t, "2012-1.csv"), "--batch-size", "4", "--wait").Exits(t, 0)
	subscriber.WaitForStdout(t, `"rows":22,`, soon)

	var snapshots []string
	for line := range strings.Lines(subscriber.Stdout()) {
		line = strings.TrimSpace(line)
		if line == "{}" || line == "" {
			continue
		}
		if !strings.HasPrefix(line, `{"metric":"price","database":"`) || !strings.HasSuffix(line, `"}`) {
			t.Errorf("not a snapshot: %q", line)
		}
		snapshots = append(snapshots, line)
	}
	if len(snapshots) < 6 {
		t.Errorf("22 rows in batches of 4 are 6 changes, %d lines were printed", len(snapshots))
	}

	late := env.Run(t, harness.Command{
		Program: cli, Args: []string{"sub", "--raw", "--last-per-subject", "--count", "1", "stats.price"},
		Env: []string{"NATS_URL=" + env.NATSURL}, Limit: soon,
	}).Exits(t, 0)
	if got := strings.TrimSpace(late.Stdout); got != snapshots[len(snapshots)-1] {
		t.Errorf("a late subscriber got %q, the last was %q", got, snapshots[len(snapshots)-1])
	}
}
