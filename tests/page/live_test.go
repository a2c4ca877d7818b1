package page

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/streamgauge/streamgauge/tests/checkout"
	"github.com/streamgauge/streamgauge/tests/harness"
)

const (
	// cloneToLive is how long it may take from the clone to a page that shows the
	// statistics, with everything compiled on the way, on a machine that does
	// nothing else.
	cloneToLive = 2 * time.Minute
	// compiled is the same on one that does.
	compiled = 10 * time.Minute
)

// stays matches the line with which the demo says where its page is.
var stays = regexp.MustCompile(`The live page stays at (http://127\.0\.0\.1:\d+/)`)

// TestLive: what somebody new has after two commands, a clone and make live. With
// SCREENSHOTS nothing is compiled beforehand, and it leaves a picture in that
// folder.
func TestLive(t *testing.T) {
	s := &site{browser: startBrowser(t), env: harness.New(t)}
	folder, screenshots := t.TempDir(), os.Getenv("SCREENSHOTS")
	published, clone := filepath.Join(folder, "published"), filepath.Join(folder, "streamgauge")
	if err := checkout.Publish(t.Context(), s.env.Root(), published); err != nil {
		t.Fatal(err)
	}
	environ := []string{"TMPDIR=" + openFolder(t), "DATABASE_URL=", "NATS_URL="}
	if screenshots != "" {
		environ = append(environ, "GOCACHE="+filepath.Join(folder, "cache"))
	}

	began := time.Now()
	s.env.Run(t, harness.Command{Program: "git", Args: []string{"clone", "--quiet", published, clone}}).Exits(t, 0)
	live := s.env.Start(t, harness.Command{Program: "make", Args: []string{"live"}, Dir: clone, Env: environ, Columns: 80})
	said := live.WaitForStdout(t, "The live page stays at", compiled)
	s.address = stays.FindStringSubmatch(said)[1]
	s.run(t, "open the page", chromedp.Navigate(s.address))
	for id, want := range map[string]string{
		"mean": "53.1666666666666667", "rows": "151", "lag": "none", "loads-caption": "6 sources, all complete",
	} {
		s.waitForText(t, id, want)
	}
	took := time.Since(began)
	t.Logf("%.1f s from the clone to the statistics on the page", took.Seconds())
	s.lookAt(t, looks[0])
	png := get(t, s.browser, "screenshot", chromedp.FullScreenshot(100))
	if screenshots != "" {
		if err := os.WriteFile(filepath.Join(screenshots, "live.png"), png, 0o644); err != nil {
			t.Fatal(err)
		}
		if took > cloneToLive {
			t.Errorf("that is more than %s", cloneToLive)
		}
	}
	s.quiet(t)

	live.Type(t, "\x03")
	live.Wait(t)
	s.waitForText(t, "lost", "No connection to the consumer")
}

// openFolder is a temporary folder that every user gets into: what the sandbox
// starts as another user, where root starts it, has its data there.
func openFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "streamgauge-page-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(folder, 0o711); err != nil {
		t.Fatal(err)
	}
	return folder
}
