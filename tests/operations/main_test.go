// Package operations tests what docs/operations.md says and deploy/ holds: with
// the real programs and servers.
package operations

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/tests/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

// shipped returns what a file under deploy/ holds.
func shipped(t *testing.T, env *harness.Env, path ...string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(append([]string{env.Root(), "deploy"}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// contains fails the test with the whole text unless it holds want.
func contains(t *testing.T, where, text, want string) {
	t.Helper()
	if !strings.Contains(text, want) {
		t.Errorf("%s lacks %q:\n%s", where, want, text)
	}
}
