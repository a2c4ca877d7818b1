package page

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/streamgauge/streamgauge/tests/harness"
)

// TestBehindAProxy: the page works in a folder of another server, and loads
// itself anew when the consumer that answers has another one.
func TestBehindAProxy(t *testing.T) {
	s := &site{browser: startBrowser(t), env: harness.New(t)}
	s.startConsumer(t, anyPort)
	target, err := url.Parse(s.address)
	if err != nil {
		t.Fatal(err)
	}
	var upgraded atomic.Bool
	proxy := &httputil.ReverseProxy{
		FlushInterval: -1,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Header.Del("Accept-Encoding")
		},
		ModifyResponse: func(r *http.Response) error {
			if upgraded.Load() && r.Header.Get("Content-Type") == "text/event-stream" {
				r.Body = &otherBuild{r.Body}
			}
			return nil
		},
	}
	front := httptest.NewServer(http.StripPrefix("/gauge", proxy))
	t.Cleanup(front.Close)
	t.Cleanup(front.CloseClientConnections)
	s.address = front.URL + "/"
	s.run(t, "open the page", chromedp.Navigate(front.URL+"/gauge/"))
	s.waitForText(t, "connection", live)
	s.env.Producer(t, "--file", s.env.Sample(t, "2012-1.csv"), "--wait").Exits(t, 0)
	s.shows(t)
	s.quiet(t)

	eval[bool](t, s.browser, "window.visited = true")
	upgraded.Store(true)
	front.CloseClientConnections()
	harness.Eventually(t, soon, "the page is loaded anew", func() (bool, string) {
		state := eval[string](t, s.browser, `String(window.visited) + " " + document.getElementById("connection")?.textContent`)
		return state == "undefined "+live, state
	})
	s.shows(t)
}

// otherBuild is a stream of events that begins with another build.
type otherBuild struct{ io.ReadCloser }

func (o *otherBuild) Read(p []byte) (int, error) {
	n, err := o.ReadCloser.Read(p)
	const marker = `"build":"`
	if i := bytes.Index(p[:n], []byte(marker)); i >= 0 {
		at := i + len(marker)
		copy(p[at:n], strings.Repeat("0", min(8, n-at)))
	}
	return n, err
}
