package pipeline

import (
	"fmt"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/tests/harness"
	"github.com/streamgauge/streamgauge/tests/oracle"
)

// TestOneNameManyFiles: files of one name and several contents, as a folder for
// each month holds them. Without --wait, too, nothing that the consumer will refuse
// counts as queued.
func TestOneNameManyFiles(t *testing.T) {
	t.Parallel()
	for name, running := range map[string]bool{"consumer running": true, "no consumer": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := harness.New(t)
			if running {
				env.StartConsumer(t)
			}
			var paths []string
			var all []oracle.Load
			for month := range 3 {
				path := env.File(t, "data.csv", fmt.Sprintf("timestamp,price,user_id\n%d/1/2012,50,9\n", 1+month))
				paths = append(paths, path)
				all = append(all, oracle.FromFile(t, path, ""))
			}
			again := env.File(t, "data.csv", "timestamp,price,user_id\n1/1/2012,50,9\n")
			result := env.Producer(t, append(paths, again)...).Exits(t, 1)
			if n := strings.Count(result.Stderr, "data.csv: its content differs from what was loaded under this name"); n != 2 {
				t.Errorf("%d of the files were refused, not 2:\n%s", n, result.Stderr)
			}
			contains(t, "standard error", result.Stderr, "2 of 4 files failed")
			if !running {
				contains(t, "standard error", result.Stderr, "(sent in this run, not stored yet, sha256 ")
				env.StartConsumer(t)
			}
			oracle.CheckStreamEmpty(t, env)
			oracle.Check(t, env, all[0])
			env.Producer(t, append([]string{"--allow-changed", "--wait"}, paths...)...).Exits(t, 0)
			oracle.Check(t, env, all...)
		})
	}
}

// TestWatchOneName: in a watch, a name that was sent is taken until it is taken
// back.
func TestWatchOneName(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	folder := t.TempDir()
	const first, second = "timestamp,price,user_id\n1/1/2012,50,9\n", "timestamp,price,user_id\n1/1/2012,51,9\n"
	watch := startWatch(t, env, folder)
	drop(t, folder, "a.csv", first)
	watch.WaitForStdout(t, "a.csv: 1 sent, 1 batch, queued", comes)
	drop(t, folder, "a.csv", second)
	watch.WaitFor(t, "a.csv: its content differs", comes)
	env.StartConsumer(t)
	waitForRows(t, env, 1)
	env.Consumer(t, "unload", "--yes", "a.csv").Exits(t, 0)
	drop(t, folder, "a.csv", second)
	watch.WaitForStdout(t, "a.csv: 1 new, 0 already loaded, 1 batch, queued", comes)
	endsInTime(t, env, watch)
	oracle.CheckStreamEmpty(t, env)
	oracle.Check(t, env, oracle.FromFile(t, env.File(t, "a.csv", second), ""))
}
