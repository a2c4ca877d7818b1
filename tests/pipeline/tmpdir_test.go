package pipeline

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/streamgauge/streamgauge/tests/harness"
)

// TestFullTemporaryFolder: a file whose sequences find no room is named and costs
// itself only. Without --wait there are none to be kept.
func TestFullTemporaryFolder(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.StartConsumer(t)
	small, err := os.ReadFile(env.Sample(t, "2012-1.csv"))
	if err != nil {
		t.Fatal(err)
	}
	large := generate(t, 3000, 5) // 24 KB of sequences
	content, err := os.ReadFile(large)
	if err != nil {
		t.Fatal(err)
	}
	tmpdir := "TMPDIR=" + harness.SmallDisk(t, 8<<10)
	const want = "its temporary file: no space left on device. Set TMPDIR to a folder with room, and run the same command again"

	result := env.Run(t, harness.Command{Program: "producer", Env: []string{tmpdir}, Args: []string{
		"--wait", "--batch-size", "1", large, env.Sample(t, "2012-1.csv"),
	}}).Exits(t, 1)
	contains(t, "standard error", result.Stderr, filepath.Base(large)+": "+want)
	contains(t, "standard error", result.Stderr, "1 of 2 files failed")
	contains(t, "standard output", result.Stdout, "2012-1.csv: 22 new, 0 already loaded")

	folder := t.TempDir()
	watch := env.Start(t, harness.Command{Program: "producer", Env: []string{tmpdir}, Args: []string{
		"watch", "--settle", "200ms", "--wait", "--batch-size", "1", "--label", "again", folder,
	}})
	watch.WaitFor(t, "watching ", comes)
	drop(t, folder, "large.csv", string(content))
	watch.WaitFor(t, "large.csv: "+want, comes)
	drop(t, folder, "small.csv", string(small))
	watch.WaitForStdout(t, "small.csv: 22 new, 0 already loaded", comes)
	watch.Signal(t, syscall.SIGTERM)
	watch.Wait(t).Exits(t, 0)

	queued := env.Run(t, harness.Command{Program: "producer", Env: []string{tmpdir}, Args: []string{"--batch-size", "1", "--label", "unread", large}}).Exits(t, 0)
	if strings.Contains(queued.Stderr, "temporary file") {
		t.Errorf("told:\n%s", queued.Stderr)
	}
}
