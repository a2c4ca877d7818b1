package page

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/shared/stats"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func at(revision int64) *stats.Snapshot {
	return &stats.Snapshot{
		Metric: "price", Database: "0b1f2c3d", Revision: revision, Rows: 10 * revision, Count: 9 * revision, Nulls: revision,
		Sum: "90000000000000000001.10", Mean: "53.1952054794520548", Min: "-0.10", Max: "9007199254740993.00", StdDev: "25.0080933994322804",
		P50: "54.5", P95: "96.5", P99: "99.5",
		First: "2012-01-10T00:00:00Z", Last: "2012-06-08T00:00:00Z", Source: "bad.csv", UpdatedAt: "2026-11-24T14:58:34.31919Z",
	}
}

// sources answers what it is told to, and counts.
type sources struct {
	mu        sync.Mutex
	recent    store.Recent
	looks     int
	hangs     bool // the database
	queueFail error
	buckets   []Bucket
	counted   int // how often the distribution was asked for
}

func (s *sources) Recent(ctx context.Context, _, _ int) (*store.Recent, error) {
	s.mu.Lock()
	s.looks++
	hangs, recent := s.hangs, s.recent
	s.mu.Unlock()
	if hangs {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return &recent, nil
}

func (s *sources) Backlog(context.Context) (Backlog, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Backlog{Batches: 3, Bytes: 1 << 60}, s.queueFail
}

func (s *sources) Distribution(context.Context) ([]Bucket, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counted++
	if s.buckets == nil {
		return nil, errors.New("away")
	}
	return s.buckets, nil
}

func (s *sources) change(f func(*sources)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
}

func (s *sources) seen() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	looks := s.looks
	s.looks = 0
	return looks
}

// world is a page served over connections that hold no byte themselves, so that
// a reader who stops is felt at once, and by a clock that tests can turn.
type world struct {
	*Page
	*sources
	listener *pipes
	client   *http.Client
	stop     context.CancelFunc // of Run
}

func start(t *testing.T) *world {
	t.Helper()
	w := &world{sources: &sources{}, listener: &pipes{incoming: make(chan net.Conn), closed: make(chan struct{})}}
	var err error
	if w.Page, err = New("1.2.3", slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	w.stop = cancel
	server := &http.Server{Handler: w.Page, ReadTimeout: readTimeout}
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return w.listener.dial(ctx) }}
	w.client = &http.Client{Transport: transport}
	var running sync.WaitGroup
	running.Go(func() { w.Run(ctx, Sources{Database: w.sources, Queue: w.sources, Distribution: w.sources}) })
	running.Go(func() {
		if err := server.Serve(w.listener); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		cancel()
		transport.CloseIdleConnections()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		running.Wait()
	})
	return w
}

// pipes is a listener.
type pipes struct {
	incoming chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

func (p *pipes) dial(ctx context.Context) (net.Conn, error) {
	mine, theirs := net.Pipe()
	select {
	case p.incoming <- theirs:
		return mine, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.incoming:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// reply is an answer that was read to its end.
type reply struct {
	status int
	header http.Header
	body   string
}

func (w *world) get(t *testing.T, path string) reply {
	t.Helper()
	response := w.open(t.Context(), t, path)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{response.StatusCode, response.Header, string(body)}
}

func (w *world) open(ctx context.Context, t *testing.T, path string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost"+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := w.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

// message is one event as a browser gets it.
type message struct{ name, data string }

// watcher reads events until its connection ends.
type watcher struct {
	leave context.CancelFunc
	ended chan struct{}

	mu       sync.Mutex
	messages []message
}

func (w *world) watch(t *testing.T) *watcher {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	response := w.open(ctx, t, "/events") //nolint:bodyclose // closed by who reads it
	if got := response.Header.Get("Content-Type"); response.StatusCode != http.StatusOK || got != "text/event-stream" {
		t.Fatalf("%s, %s", response.Status, got)
	}
	one := &watcher{leave: cancel, ended: make(chan struct{})}
	go func() {
		defer close(one.ended)
		defer response.Body.Close()
		var m message
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "event":
				m.name = value
			case "data":
				m.data = value
			case "":
				one.mu.Lock()
				one.messages = append(one.messages, m)
				one.mu.Unlock()
				m = message{}
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-one.ended
	})
	return one
}

// heard returns the events since it was last asked, but for those named.
func (w *watcher) heard(but ...string) []message {
	w.mu.Lock()
	defer w.mu.Unlock()
	var heard []message
	for _, m := range w.messages {
		keep := true
		for _, name := range but {
			keep = keep && m.name != name
		}
		if keep {
			heard = append(heard, m)
		}
	}
	w.messages = nil
	return heard
}

func names(messages []message) []string {
	var names []string
	for _, m := range messages {
		names = append(names, m.name)
	}
	return names
}
