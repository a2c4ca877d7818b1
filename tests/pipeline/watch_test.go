package pipeline

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/tests/harness"
	"github.com/streamgauge/streamgauge/tests/oracle"
)

// comes is how long a file may take until it is loaded: the folder is looked at
// every five seconds at least.
const comes = soon

// drop puts a file into a folder under a name that does not count, then under its
// own.
func drop(t *testing.T, folder, name, content string) {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path+".part", []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".part", path); err != nil {
		t.Fatal(err)
	}
}

func startWatch(t *testing.T, env *harness.Env, folder string, args ...string) *harness.Process {
	t.Helper()
	p := env.StartProducer(t, append(append([]string{"watch", "--settle", "200ms"}, args...), folder)...)
	p.WaitFor(t, "watching ", comes)
	return p
}

// TestWatch: files are loaded as they appear, each once, whatever happens to the
// folder, to one of the files, or to the producer.
func TestWatch(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.StartConsumer(t)
	folder := filepath.Join(t.TempDir(), "drops")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	sample := func(name string) string {
		content, err := os.ReadFile(env.Sample(t, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}

	watch := startWatch(t, env, folder, "--wait")
	drop(t, folder, "2012-1.csv", sample("2012-1.csv"))
	watch.WaitForStdout(t, "2012-1.csv: 22 new, 0 already loaded", comes)
	for _, name := range []string{".hidden.csv", "2012-9.csv.tmp", "2012-9.csv~", "~$2012-9.csv"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(sample("2012-2.csv")), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	drop(t, folder, "bad.csv", "when,price,user_id\n1/1/2012,5,1\n")
	watch.WaitFor(t, `producer: bad.csv: it has no column "timestamp"`, comes)
	drop(t, folder, "2012-3.csv.gz", gzipped(t, sample("2012-3.csv")))
	watch.WaitForStdout(t, "2012-3.csv.gz: 31 new", comes)
	drop(t, folder, "bad.csv", "timestamp,price,user_id\n1/1/2012,5,1\n")
	watch.WaitForStdout(t, "bad.csv: 1 new", comes)

	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	watch.WaitFor(t, "drops: the folder is gone", comes)
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	drop(t, folder, "2012-1.csv", sample("2012-1.csv"))
	drop(t, folder, "2012-4.csv", sample("2012-4.csv"))
	watch.WaitForStdout(t, "2012-1.csv: 0 new, 22 already loaded", comes)
	watch.WaitForStdout(t, "2012-4.csv: 30 new", comes)
	result := endsInTime(t, env, watch)
	contains(t, "standard error", result.Stderr, "producer: watched: 6 files, 84 records sent, 106 stored, 0 rejected, 22 already loaded, 1 file failed\n")
	if n := strings.Count(result.Stderr, "bad.csv"); n != 1 {
		t.Errorf("the bad file was told %d times:\n%s", n, result.Stderr)
	}

	again := startWatch(t, env, folder, "--wait")
	again.WaitForStdout(t, "2012-4.csv: 0 new, 30 already loaded", comes)
	if out := endsInTime(t, env, again).Stdout; strings.Count(out, "\n") != 2 || strings.Count(out, " 0 new, ") != 2 {
		t.Errorf("the second watch loaded:\n%s", out)
	}
	oracle.Check(t, env,
		oracle.FromFile(t, env.Sample(t, "2012-1.csv"), ""), oracle.FromFile(t, env.Sample(t, "2012-3.csv"), ""),
		oracle.FromFile(t, env.Sample(t, "2012-4.csv"), ""), oracle.FromFile(t, env.File(t, "bad.csv", "timestamp,price,user_id\n1/1/2012,5,1\n"), ""))
}

// TestWatchStopped: a watch that is stopped or killed in the middle of a file
// costs nothing: the next one finishes it.
func TestWatchStopped(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.StartConsumer(t, "--batches-per-commit", "4")
	path := generate(t, manyRows, 62)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	drop(t, folder, "big.csv", string(content))
	first := startWatch(t, env, folder, "--batch-size", "100", "--wait")
	waitForRows(t, env, manyRows/20)
	endsInTime(t, env, first)
	second := startWatch(t, env, folder, "--batch-size", "100", "--wait")
	waitForRows(t, env, env.Int(t, "SELECT rows FROM stats")+1)
	second.Kill(t)
	third := startWatch(t, env, folder, "--batch-size", "100", "--wait")
	third.WaitForStdout(t, "big.csv: ", 5*soon)
	interrupted := third.Interrupt(t).Exits(t, 130)
	contains(t, "standard error", interrupted.Stderr, "producer: stopped watching; run the same command again to continue\n")
	oracle.Check(t, env, oracle.FromFile(t, path, ""))
}
