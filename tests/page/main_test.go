// Package page tests the live page in a real browser, served by the real
// consumer.
package page

import (
	"os"
	"testing"

	"github.com/streamgauge/streamgauge/tests/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
