package web_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/streamgauge/streamgauge/consumer/internal/web"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func listen(t *testing.T) *web.Server {
	t.Helper()
	server, err := web.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return server
}

// serve serves until the test ends, or stop is called; stop returns what Serve did.
func serve(t *testing.T, server *web.Server) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, slog.New(slog.DiscardHandler)) }()
	stop = func() error {
		cancel()
		err := <-ended
		ended <- err
		return err
	}
	t.Cleanup(func() { _ = stop() })
	return stop
}

func get(t *testing.T, url string) (status int, text string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func TestHealth(t *testing.T) {
	server := listen(t)
	var reason atomic.Value
	reason.Store("PostgreSQL does not answer: connection refused")
	web.MountHealth(server.Mux(), func() string { return reason.Load().(string) })
	serve(t, server)
	check := func(path string, status int, text string) {
		t.Helper()
		if gotStatus, gotText := get(t, server.URL()+path); gotStatus != status || gotText != text {
			t.Errorf("%s: %d %q", path, gotStatus, gotText)
		}
	}
	check("readyz", http.StatusServiceUnavailable, "not ready: PostgreSQL does not answer: connection refused\n")
	check("livez", http.StatusOK, "alive\n")
	reason.Store("")
	check("readyz", http.StatusOK, "ready\n")
	check("elsewhere", http.StatusNotFound, "404 page not found\n")
}

func TestAddressInUse(t *testing.T) {
	server := listen(t)
	defer server.Close()
	address := strings.Trim(strings.TrimPrefix(server.URL(), "http://"), "/")
	other, err := web.Listen(t.Context(), address)
	if err == nil {
		_ = other.Close()
		t.Fatal("listens twice")
	}
	want := "cannot listen on " + address + ": the address is in use. Stop what listens there, or give another one to --http"
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Error("the cause is lost")
	}
}

func TestValidate(t *testing.T) {
	for _, address := range []string{"127.0.0.1:8080", ":0", "[::1]:80", "localhost:65535"} {
		if err := web.Validate(address); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, address := range []string{"", "8080", "127.0.0.1", "h:http", "h:65536", "h:-1", "::1:80", "\x1b[2J"} {
		if err := web.Validate(address); err == nil {
			t.Errorf("%q passes", address)
		}
	}
}

func TestOpen(t *testing.T) {
	server := listen(t)
	defer server.Close()
	if server.Open() {
		t.Error("a loopback address is called open")
	}
	everywhere, err := web.Listen(t.Context(), ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer everywhere.Close()
	if !everywhere.Open() || !strings.HasPrefix(everywhere.URL(), "http://localhost:") {
		t.Errorf("%s, open %t", everywhere.URL(), everywhere.Open())
	}
}

// TestEndsInTime: neither an answer that never ends nor a connection on which
// nothing comes keeps the server.
func TestEndsInTime(t *testing.T) {
	server := listen(t)
	entered, release := make(chan struct{}), make(chan struct{})
	server.Mux().HandleFunc("/hang", func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
		<-release // deaf to it
	})
	stop := serve(t, server)
	defer close(release)
	for _, request := range []string{"GET /hang HTTP/1.1\r\nHost: x\r\n\r\n", "GET /"} {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.Trim(strings.TrimPrefix(server.URL(), "http://"), "/"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		if _, err := io.WriteString(conn, request); err != nil {
			t.Fatal(err)
		}
	}
	<-entered
	began := time.Now()
	if err := stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("took %s to end", took)
	}
}
