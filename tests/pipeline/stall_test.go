package pipeline

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/sandbox/postgres"
	"github.com/streamgauge/streamgauge/shared/topology"
	"github.com/streamgauge/streamgauge/tests/harness"
	"github.com/streamgauge/streamgauge/tests/oracle"
)

const (
	// resumesWithin and notReadyWithin are what is promised after a stall.
	resumesWithin  = 10 * time.Second
	notReadyWithin = 5 * time.Second
)

// watched is a consumer that is asked whether it is ready.
type watched struct {
	*harness.Process

	env *harness.Env
	url string
}

func startWatched(t *testing.T, env *harness.Env, environ ...string) watched {
	t.Helper()
	p := env.Start(t, harness.Command{Program: "consumer", Args: []string{"--http", "127.0.0.1:0"}, Env: environ})
	line := p.WaitFor(t, "live page: ", soon)
	p.WaitFor(t, "msg=ready", soon)
	_, address, _ := strings.Cut(line, "live page: ")
	w := watched{p, env, strings.Trim(address, "\"\n")}
	w.becomes(t, "ready", resumesWithin)
	return w
}

func (w watched) ask(t *testing.T, path string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&http.Client{}).Do(request)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}

// becomes waits for an answer of /readyz, and says how long that took.
func (w watched) becomes(t *testing.T, beginning string, within time.Duration) {
	t.Helper()
	w.env.Promised(t, within).Eventually(t, "/readyz says "+beginning, func() (bool, string) {
		answer := strings.TrimSpace(w.ask(t, "readyz"))
		return strings.HasPrefix(answer, beginning), answer
	})
	if alive := w.ask(t, "livez"); alive != "alive\n" {
		t.Errorf("/livez says %q", alive)
	}
}

// completes waits until the source has been loaded, and says how long that took.
func completes(t *testing.T, env *harness.Env, rows int64) {
	t.Helper()
	env.Promised(t, resumesWithin).Eventually(t, "work resumed, and all rows stored", func() (bool, string) {
		return env.Int(t, "SELECT count(*) FROM prices") == rows, "not all"
	})
}

// TestConsumerDeleted: the durable consumer vanishes under a pull that is open.
func TestConsumerDeleted(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	consumer := startWatched(t, env)
	if err := env.JetStream(t).DeleteConsumer(t.Context(), topology.StreamRows, topology.Durable); err != nil {
		t.Fatal(err)
	}
	sample := env.Sample(t, "2012-1.csv")
	env.Producer(t, "--file", sample)
	completes(t, env, 22)
	consumer.becomes(t, "ready", resumesWithin)
	oracle.Check(t, env, oracle.FromFile(t, sample, ""))
	endsInTime(t, env, consumer.Process)
}

// TestNATSFrozen: the server answers nothing and closes nothing.
func TestNATSFrozen(t *testing.T) {
	t.Parallel()
	env := harness.New(t, harness.WithOwnNATS())
	consumer := startWatched(t, env)
	other := startWatched(t, env)
	sample := env.Sample(t, "2012-1.csv")
	producer := env.StartProducer(t, "--file", sample, "--batch-size", "2", "--wait")
	producer.WaitFor(t, "stream ROWS", soon)

	server := env.Server.Process()
	server.Signal(t, syscall.SIGSTOP)
	t.Cleanup(func() { server.Signal(t, syscall.SIGCONT) })
	consumer.becomes(t, "not ready: NATS does not answer", notReadyWithin)
	endsInTime(t, env, other.Process)
	server.Signal(t, syscall.SIGCONT)
	consumer.becomes(t, "ready", resumesWithin)
	completes(t, env, 22)
	finishes(t, env, producer).Exits(t, 0)
	oracle.Check(t, env, oracle.FromFile(t, sample, ""))
	endsInTime(t, env, consumer.Process)
}

// TestPostgresFrozen: as TestNATSFrozen. TestTerminatedWhilePostgresIsFrozen has
// the stop.
func TestPostgresFrozen(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	server, err := postgres.Start(t.Context(), postgres.Config{Settings: map[string]string{"fsync": "off"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	consumer := startWatched(t, env, "DATABASE_URL="+server.URL())
	sample := env.Sample(t, "2012-1.csv")
	signalServer(t, server, syscall.SIGSTOP)
	producer := env.StartProducer(t, "--file", sample, "--batch-size", "2", "--wait")
	consumer.becomes(t, "not ready: PostgreSQL does not answer", notReadyWithin)
	signalServer(t, server, syscall.SIGCONT)
	consumer.becomes(t, "ready", resumesWithin)
	env.Promised(t, resumesWithin).Ends(t, producer).Exits(t, 0)
	endsInTime(t, env, consumer.Process)
}

// TestPostgresRestarted: a server that stops takes its sessions with it.
func TestPostgresRestarted(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	dir, err := os.MkdirTemp("", "streamgauge-restart-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { // The server has an account of its own.
		t.Fatal(err)
	}
	config := postgres.Config{Dir: filepath.Join(dir, "data"), Settings: map[string]string{"fsync": "off"}}
	server, err := postgres.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	consumer := startWatched(t, env, "DATABASE_URL="+server.URL())
	address, err := url.Parse(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	if config.Port, err = net.DefaultResolver.LookupPort(t.Context(), "tcp", address.Port()); err != nil {
		t.Fatal(err)
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	producer := env.StartProducer(t, "--file", env.Sample(t, "2012-1.csv"), "--batch-size", "2", "--wait")
	consumer.becomes(t, "not ready: PostgreSQL does not answer", notReadyWithin)
	if server, err = postgres.Start(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	consumer.becomes(t, "ready", resumesWithin)
	env.Promised(t, resumesWithin).Ends(t, producer).Exits(t, 0)
	endsInTime(t, env, consumer.Process)
}

// TestPostgresHalfOpen: what connects the two goes on answering for TCP, and
// passes nothing on; new connections work.
func TestPostgresHalfOpen(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	address, err := url.Parse(env.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	between := startHole(t, address.Host)
	address.Host = between.listener.Addr().String()
	consumer := startWatched(t, env, "DATABASE_URL="+address.String())

	between.swallow()
	sample := env.Sample(t, "2012-1.csv")
	producer := env.StartProducer(t, "--file", sample, "--batch-size", "2", "--wait")
	completes(t, env, 22)
	env.Promised(t, resumesWithin).Ends(t, producer).Exits(t, 0)
	consumer.becomes(t, "ready", resumesWithin)

	// Once more in the middle of the work.
	large := generate(t, manyRows, 77)
	producer = env.StartProducer(t, "--file", large, "--batch-size", "20", "--wait")
	waitForRows(t, env, 22+manyRows/20)
	between.swallow()
	began, stored := time.Now(), env.Int(t, "SELECT count(*) FROM prices")
	env.Promised(t, resumesWithin).Eventually(t, "more rows stored", func() (bool, string) {
		rows := env.Int(t, "SELECT count(*) FROM prices")
		return rows > stored, "none"
	})
	finishes(t, env, producer).Exits(t, 0)
	t.Logf("the load ended %s after its connections were swallowed", time.Since(began).Round(10*time.Millisecond))
	oracle.Check(t, env, oracle.FromFile(t, sample, ""), oracle.FromFile(t, large, ""))
	endsInTime(t, env, consumer.Process)
}

// hole passes bytes on until it swallows those of the connections there are.
type hole struct {
	listener net.Listener
	mu       sync.Mutex
	swallows *atomic.Bool // of the connections made from now on
}

func startHole(t *testing.T, server string) *hole {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &hole{listener: listener, swallows: new(atomic.Bool)}
	var passing sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	passing.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			context.AfterFunc(ctx, func() { _ = client.Close() })
			behind, err := new(net.Dialer).DialContext(ctx, "tcp", server)
			if err != nil {
				_ = client.Close()
				continue
			}
			context.AfterFunc(ctx, func() { _ = behind.Close() })
			h.mu.Lock()
			swallows := h.swallows
			h.mu.Unlock()
			passing.Go(func() { pass(behind, client, swallows) })
			passing.Go(func() { pass(client, behind, swallows) })
		}
	})
	t.Cleanup(func() {
		cancel()
		_ = listener.Close()
		passing.Wait()
	})
	return h
}

func (h *hole) swallow() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.swallows.Store(true)
	h.swallows = new(atomic.Bool)
}

// pass leaves the other side in the dark about an end, too, once it swallows.
func pass(to, from net.Conn, swallows *atomic.Bool) {
	bytes := make([]byte, 16<<10)
	for {
		n, err := from.Read(bytes)
		if swallows.Load() {
			if err != nil {
				return
			}
			continue
		}
		if n > 0 {
			if _, err := to.Write(bytes[:n]); err != nil {
				return
			}
		}
		if err != nil {
			_ = to.Close()
			return
		}
	}
}
