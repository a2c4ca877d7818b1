// Package terminal tests what people read: each error with its cause and remedy,
// and how output looks on a terminal of 80 columns, and into a pipe. What it has
// to look like stands in testdata; the flag -update writes that anew, to be
// looked at.
package terminal

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/tests/harness"
)

var update = flag.Bool("update", false, "write what came out to testdata, to be looked at")

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

// golden compares what came out with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("not as in %s; -update writes it anew (-want +got):\n%s", path, diff)
	}
}
