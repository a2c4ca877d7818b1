package pipeline

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/tests/harness"
)

// TestVerifyTwoMillion: one price altered among two million rows is found, with
// its line, in bounded time and memory. The programs are built as people run them.
func TestVerifyTwoMillion(t *testing.T) {
	t.Parallel()
	const rows = 2_000_000
	env := harness.New(t)
	programs := plainBinaries(t, env)
	consumer := startPlain(t, env, programs)
	path := generate(t, rows, 71)
	env.Run(t, harness.Command{Program: filepath.Join(programs, "producer"), Args: []string{"--file", path, "--wait"}}).Exits(t, 0)
	consumer.Terminate(t).Exits(t, 0)

	verify := func(code int) verified {
		t.Helper()
		promise := env.Promised(t, time.Minute)
		p := env.Start(t, harness.Command{Program: filepath.Join(programs, "consumer"), Args: []string{"verify", "--output", "json", path}})
		most := peakUntilItEnds(t, p)
		result := p.Wait(t).Exits(t, code)
		promise.Kept(t, "compared")
		expectPeak(t, "verify", most, consumerMemory)
		var v verified
		if err := json.Unmarshal([]byte(result.Stdout), &v); err != nil {
			t.Fatalf("%v: %s", err, result.Stdout)
		}
		return v
	}
	if v := verify(0); !v.Same {
		t.Fatalf("as it was loaded: %+v", v)
	}
	const line = 1_234_567
	before := env.Rows(t, "SELECT price FROM prices WHERE line = $1", line)[0][0]
	after := env.Rows(t, "UPDATE prices SET price = coalesce(price, 0) + 0.01 WHERE line = $1 RETURNING price", line)[0][0]
	v := verify(4)
	if v.Same || v.Different != 1 || len(v.Lines) != 1 {
		t.Fatalf("%+v", v)
	}
	if before == "NULL" {
		before = "null"
	}
	if diff := cmp.Diff([]any{int64(line), "price", before, after}, []any{v.Lines[0].Line, v.Lines[0].What, v.Lines[0].File, v.Lines[0].Database}); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}
	if diff := cmp.Diff([]string{"sum"}, v.Differing); diff != "" {
		t.Errorf("figures that differ: want -, got +\n%s", diff)
	}
}
