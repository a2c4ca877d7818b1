package fetch

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// secret is in the query, the user and the password of every address that is
// fetched, and never to be seen.
const secret = "S3CRET"

// origin is a server that answers each request by the next of its handlers, and
// all others by the last.
type origin struct {
	*httptest.Server

	// modern is whether it speaks HTTP/2.
	modern bool
	// silence is how long it may say nothing; by default longer than any test.
	silence time.Duration

	mu       sync.Mutex
	handlers []http.HandlerFunc
	asked    []*http.Request
}

func serve(t *testing.T, handlers ...http.HandlerFunc) *origin {
	t.Helper()
	o := &origin{handlers: handlers, silence: time.Minute}
	o.start(t)
	return o
}

func (o *origin) start(t *testing.T) {
	t.Helper()
	o.Server = httptest.NewUnstartedServer(http.HandlerFunc(o.answer))
	// Connections that are broken on purpose are no news.
	o.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	o.EnableHTTP2 = o.modern
	o.StartTLS()
	t.Cleanup(o.Close)
}

func (o *origin) answer(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	handler := o.handlers[min(len(o.asked), len(o.handlers)-1)]
	o.asked = append(o.asked, r.Clone(context.Background()))
	o.mu.Unlock()
	handler(w, r)
}

// headers returns one header of each request so far.
func (o *origin) headers(name string) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	values := make([]string, len(o.asked))
	for i, r := range o.asked {
		values[i] = r.Header.Get(name)
	}
	return values
}

// link returns an address on the server with credentials wherever they may be.
func (o *origin) link(path string) string {
	return strings.Replace(o.URL, "https://", "https://"+secret+":"+secret+"@", 1) + path + "?X-Amz-Signature=" + secret + "%2F&sp=" + secret
}

// unseen is who does not care how far a download is.
func unseen(int64, int64) {}

// fetched is what came of a download.
type fetched struct {
	name    string
	content []byte
	log     string
	err     error
}

// fetch fetches from servers of this test, all of whose hosts are o.
func (o *origin) fetch(t *testing.T, address string) fetched {
	t.Helper()
	into, err := os.Create(filepath.Join(t.TempDir(), "into"))
	if err != nil {
		t.Fatal(err)
	}
	defer into.Close()
	return o.fetchInto(t, address, into)
}

func (o *origin) fetchInto(t *testing.T, address string, into *os.File) fetched {
	t.Helper()
	var log bytes.Buffer
	f := New(slog.New(slog.NewTextHandler(&log, nil)), unseen)
	f.pause, f.silence = time.Millisecond, o.silence
	f.transport = o.transport(t)
	name, err := f.Fetch(t.Context(), address, into)
	content, readErr := os.ReadFile(into.Name())
	if readErr != nil {
		t.Fatal(readErr)
	}
	all := name + log.String()
	if err != nil {
		all += err.Error()
	}
	if strings.Contains(all, secret) {
		t.Errorf("credentials are shown: %s", all)
	}
	return fetched{name, content, log.String(), err}
}

// transport leads to the server under whatever name it is asked for.
func (o *origin) transport(t *testing.T) http.RoundTripper {
	t.Helper()
	transport := newTransport()
	transport.Proxy = nil
	pool := o.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	transport.TLSClientConfig = &tls.Config{RootCAs: pool, ServerName: "example.com", MinVersion: tls.VersionTLS12}
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if host, _, _ := net.SplitHostPort(address); host != "127.0.0.1" {
			address = o.Listener.Addr().String()
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// confirmationPage is Google Drive's before a large file, as far as it matters.
func confirmationPage(action string) string {
	return `<!DOCTYPE html><html><head><title>Google Drive - Virus scan warning</title></head><body>
<form action="/search" method="get"><input name="q" value="no"></form>
<a href="/open?id=1">big.csv</a> (1.2G) is too large for Google to scan for viruses.
<form id="download-form" action="` + action + `" method="get"><input type="submit" id="uc-download-link" value="Download anyway"/>
<input type="hidden" name="id" value="1a-B_c"><input type="hidden" name="export" value="download"/><input type="hidden" name="confirm" value="t"><input type="hidden" name="uuid" value="a&amp;b"></form></body></html>`
}

// object is a file as an object store has it, which changes with its content.
func object(content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", fmt.Sprintf("%q", fmt.Sprintf("%d-%x", len(content), content[:min(8, len(content))])))
		w.Header().Set("Content-Type", "text/csv")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}
}

// cut breaks the connection after so many bytes of a body.
func cut(after int, handler http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { handler(&cutter{w, after}, r) }
}

type cutter struct {
	http.ResponseWriter
	left int
}

func (c *cutter) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p[:min(len(p), c.left)])
	if c.left -= n; c.left == 0 {
		c.ResponseWriter.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, err
}

// without leaves headers out of what a handler answers, and of the request.
func without(handler http.HandlerFunc, names ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for _, name := range names {
			r.Header.Del(name)
		}
		handler(&stripped{w, names}, r)
	}
}

type stripped struct {
	http.ResponseWriter
	names []string
}

func (s *stripped) WriteHeader(status int) {
	for _, name := range s.names {
		s.Header().Del(name)
	}
	s.ResponseWriter.WriteHeader(status)
}

// say answers with a status, headers by pairs, and a body.
func say(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func redirect(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) }
}

// csv returns a file of about that many bytes, each part of which is unlike all
// others.
func csv(size int) []byte {
	var content bytes.Buffer
	random := rand.New(rand.NewPCG(uint64(size), 1))
	content.WriteString("timestamp,price,user_id\n")
	for content.Len() < size {
		fmt.Fprintf(&content, "1/10/2012,%d,%d\n", random.Uint32(), random.Uint32())
	}
	return content.Bytes()
}

func hostOf(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}
