// Package hostile loads a corpus of CSV files that want to do harm, and holds
// what becomes of them against what was written down by hand. The format of the
// corpus is described in README.md.
package hostile

import (
	"os"
	"testing"

	"github.com/streamgauge/streamgauge/tests/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
