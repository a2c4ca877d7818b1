// Package pipeline tests the pair end to end: real binaries, real servers.
package pipeline

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/sandbox/gen"
	"github.com/streamgauge/streamgauge/tests/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

// months are the sample files that are loaded before validation.csv.
var months = []string{"2012-1.csv", "2012-2.csv", "2012-3.csv", "2012-4.csv", "2012-5.csv"}

// generate writes a file of many rows, the same for the same seed.
func generate(t *testing.T, rows int64, seed uint64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), fmt.Sprintf("rows-%d-seed-%d.csv", rows, seed))
	if err := gen.WriteFile(t.Context(), path, gen.Config{Rows: rows, Seed: seed}); err != nil {
		t.Fatal(err)
	}
	return path
}

// contains fails the test with the whole text unless it holds want.
func contains(t *testing.T, where, text, want string) {
	t.Helper()
	if !strings.Contains(text, want) {
		t.Errorf("%s lacks %q:\n%s", where, want, text)
	}
}

// soon bounds what is promised to nobody, so that what hangs fails: how fast a
// machine is, and what else it does, is not what is tested.
const soon = time.Minute

// waitForRows waits until prices holds at least n rows.
func waitForRows(t *testing.T, env *harness.Env, n int64) {
	t.Helper()
	harness.Moves(t, soon, fmt.Sprintf("%d rows stored", n), func() (int64, bool) {
		rows := storedRows(t, env)
		return rows, rows >= n
	})
}

func storedRows(t *testing.T, env *harness.Env) int64 {
	t.Helper()
	// Before the consumer's migration there is no table.
	if env.Int(t, "SELECT count(*) FROM pg_tables WHERE tablename = 'stats'") == 0 {
		return 0
	}
	return env.Int(t, "SELECT rows FROM stats")
}

// finishes waits until a producer has ended, for as long as work goes on: promise
// 11.
func finishes(t *testing.T, env *harness.Env, producer *harness.Process) harness.Result {
	t.Helper()
	env.Promised(t, resumesWithin).Moves(t, "the producer's end, by rows", func() (int64, bool) {
		select {
		case <-producer.Exited():
			return 0, true
		default:
			return storedRows(t, env), false
		}
	})
	return producer.Wait(t)
}
