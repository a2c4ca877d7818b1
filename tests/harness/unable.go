package harness

import (
	"os"
	"testing"
)

// Unable ends a test of a fault that can't be made on this machine, and says why:
// it is skipped, unless REQUIRE_FAULTS=1 says that it must not be.
func Unable(t testing.TB, why ...any) {
	t.Helper()
	if os.Getenv("REQUIRE_FAULTS") == "1" {
		t.Fatal(why...)
	}
	t.Skip(why...)
}
