// Package metrics tests what Prometheus gets from the real consumer, and the
// alert rules that stand on it.
package metrics

import (
	"os"
	"testing"

	"github.com/streamgauge/streamgauge/tests/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
