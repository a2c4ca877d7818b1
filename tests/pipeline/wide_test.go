package pipeline

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/tests/harness"
	"github.com/streamgauge/streamgauge/tests/oracle"
)

// TestWideRecords: batches as large as they may be. A pull then ends for its
// bytes, not for its messages, which is no failure and costs no time.
func TestWideRecords(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	consumer := env.StartConsumer(t)
	const records = 600
	note := strings.Repeat("x", 60_000)
	var content strings.Builder
	content.WriteString("timestamp,price,user_id,note\n")
	load := oracle.Load{Name: "wide.csv", Records: records}
	for i := range int64(records) {
		fmt.Fprintf(&content, "1/2/2012,%d,%d,%s\n", i, i, note)
		load.Rows = append(load.Rows, oracle.Row{
			Line: i + 2, Time: time.Date(2012, 1, 2, 0, 0, 0, 0, time.UTC), Price: fmt.Sprint(i), UserID: i,
		})
	}
	load.ID = oracle.ID([]byte(content.String()), "")
	env.Producer(t, "--file", env.File(t, load.Name, content.String()), "--wait").Exits(t, 0)
	oracle.Check(t, env, load)
	if log := consumer.Stderr(); strings.Contains(log, "can't take messages in") {
		t.Errorf("a pull that ended for its bytes was taken for a failure:\n%s", log)
	}
}

// TestNarrowBatches: very many small batches. A pull then often ends with all
// its messages, and the server's word that it has may come late.
func TestNarrowBatches(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	consumer := env.StartConsumer(t)
	path := generate(t, 100_000, 71)
	env.Producer(t, "--file", path, "--batch-size", "4", "--wait").Exits(t, 0)
	oracle.Check(t, env, oracle.FromFile(t, path, ""))
	if log := consumer.Stderr(); strings.Contains(log, "can't take messages in") {
		t.Errorf("a pull that was answered was taken for a failure:\n%s", log)
	}
}
