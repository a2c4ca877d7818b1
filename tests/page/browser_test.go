package page

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/streamgauge/streamgauge/tests/harness"
)

// stepTime bounds a single command to the browser.
const stepTime = time.Minute

// findChromium returns a browser's path. Where there is none the test is
// skipped, unless REQUIRE_CHROMIUM=1 says that it must not be.
func findChromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if name == "" {
			continue
		}
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const missing = "no Chromium to try the live page in: install it, or set CHROMIUM to its path"
	if os.Getenv("REQUIRE_CHROMIUM") == "1" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

// browser is a tab of a browser of its own. It notes what goes wrong and where
// it asks for something.
type browser struct {
	ctx context.Context

	mu        sync.Mutex
	complains []string
	asked     map[string]bool // host:port, or the scheme where there is none
}

func startBrowser(t *testing.T) *browser {
	t.Helper()
	b := &browser{asked: make(map[string]bool)}
	allocated, release := chromedp.NewExecAllocator(context.Background(),
		append(chromedp.DefaultExecAllocatorOptions[:],
			chromedp.ExecPath(findChromium(t)), chromedp.NoSandbox, chromedp.DisableGPU,
			chromedp.Flag("disable-component-update", true),
			chromedp.Env("LC_ALL=en_US.UTF-8", "TZ=UTC"))...)
	tab, closeTab := chromedp.NewContext(allocated, chromedp.WithListener(b.note))
	b.ctx = tab
	t.Cleanup(func() {
		if err := chromedp.Cancel(tab); err != nil {
			t.Errorf("close the browser: %v", err)
		}
		closeTab()
		release()
	})
	// The first Do starts the browser, which ends with its context.
	if err := chromedp.Do(tab, command(network.Enable, network.EnableParams{}), command(log.Enable, cdp.Empty{})); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	return b
}

// command makes a command of the protocol an action.
func command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, c, params)
		return err
	})
}

func (b *browser) note(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.complains = append(b.complains, fmt.Sprintf("%s %s", e.ExceptionDetails.Text, e.ExceptionDetails.URL))
	case *runtime.EventConsoleAPICalled:
		b.complains = append(b.complains, fmt.Sprintf("console.%s %s", e.Type, e.Args[0].Value))
	case *log.EventEntryAdded:
		b.complains = append(b.complains, fmt.Sprintf("%s: %s %s", e.Entry.Level, e.Entry.Text, e.Entry.URL))
	case *network.EventRequestWillBeSent:
		where, err := url.Parse(e.Request.URL)
		if err != nil {
			b.complains = append(b.complains, err.Error())
			return
		}
		b.asked[where.Scheme+"://"+where.Host] = true
	}
}

// reply has the browser carry a command of the protocol out, for its result.
func reply[P, R any](t *testing.T, b *browser, c cdp.Command[P, R], params P) R {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, stepTime)
	defer cancel()
	result, err := chromedp.Call(ctx, c, params)
	if err != nil {
		t.Fatalf("%s: %v", c.Method, err)
	}
	return result
}

// complaints returns what the browser complained of since it was last asked.
func (b *browser) complaints() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	complains := b.complains
	b.complains = nil
	return complains
}

// run gives the browser commands, each bounded.
func (b *browser) run(t *testing.T, what string, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, stepTime)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// get returns what an action does.
func get[T any](t *testing.T, b *browser, what string, action chromedp.Action[T]) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, stepTime)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	return value
}

// eval returns the value of an expression of JavaScript.
func eval[T any](t *testing.T, b *browser, expression string) T {
	t.Helper()
	return get(t, b, expression, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// text returns what an element says.
func (b *browser) text(t *testing.T, id string) string {
	t.Helper()
	return eval[string](t, b, fmt.Sprintf("document.getElementById(%q).textContent", id))
}

// waitForText waits until an element says it.
func (b *browser) waitForText(t *testing.T, id, want string) {
	t.Helper()
	harness.Eventually(t, soon, fmt.Sprintf("#%s says %q", id, want), func() (bool, string) {
		text := b.text(t, id)
		return strings.Contains(text, want), text
	})
}
