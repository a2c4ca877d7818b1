package page

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/streamgauge/streamgauge/tests/harness"
)

const (
	// anyPort has the consumer choose one.
	anyPort = "127.0.0.1:0"
	// said is what the line about the page begins with.
	said = "live page: "
	// live is what the page says while it is connected, soon the time it gets.
	live = "Live"
	soon = 30 * time.Second
)

// site is a consumer that serves its page, and a browser that has opened it.
type site struct {
	*browser
	env      *harness.Env
	consumer *harness.Process
	address  string // ends in a slash
}

func open(t *testing.T, args ...string) *site {
	t.Helper()
	s := &site{browser: startBrowser(t), env: harness.New(t)}
	s.startConsumer(t, anyPort, args...)
	s.run(t, "open the page", chromedp.Navigate(s.address))
	s.waitForText(t, "connection", live)
	return s
}

func (s *site) startConsumer(t *testing.T, address string, args ...string) {
	t.Helper()
	s.consumer = s.env.StartConsumer(t, append([]string{"--http", address}, args...)...)
	s.readAddress(t)
}

// readAddress waits until the consumer has said where its page is.
func (s *site) readAddress(t *testing.T) {
	t.Helper()
	_, after, _ := strings.Cut(s.consumer.WaitFor(t, said, soon), said)
	s.address = strings.Trim(after, "\"\n")
}

// hostPort is where the consumer listens.
func (s *site) hostPort() string {
	return strings.TrimSuffix(strings.TrimPrefix(s.address, "http://"), "/")
}

func (s *site) get(t *testing.T, path string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.address+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&http.Client{}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// quiet fails the test where the browser complained, or asked anyone but the
// consumer.
func (s *site) quiet(t *testing.T) {
	t.Helper()
	for _, complaint := range s.complaints() {
		t.Errorf("the browser complains: %s", complaint)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for origin := range s.asked {
		if origin+"/" != s.address {
			t.Errorf("the page asks %s", origin)
		}
	}
}
