package harness

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/streamgauge/streamgauge/tests/images/standin"
)

// natsReadyTime is how long a server may take to answer, recovery included.
const natsReadyTime = 30 * time.Second

// NATSServer is a test's own nats-server: a process, not a container, because
// a container's published port changes when it is started again. It keeps its
// port and its store across restarts. Not safe for concurrent use.
type NATSServer struct {
	// URL is its address.
	URL string
	// Name is the server's within a cluster, else empty.
	Name string
	// MaxPayload is the largest message that it takes, in bytes, from the next
	// Start on; zero means the server's default.
	MaxPayload int

	session *session
	binary  string
	place   Place
	port    string
	store   string
	env     []string // beside this process's own
	cluster string   // the part of its configuration, where it has one
	process *Process
}

// Place is where a server runs. Its zero value is this machine.
type Place struct {
	// Address is where it listens, 127.0.0.1 when empty.
	Address string
	// Through is as Command's, and Dialer how this process gets there; nil where
	// it just does.
	Through []string
	Dialer  nats.CustomDialer
}

func (p Place) address() string { return cmp.Or(p.Address, "127.0.0.1") }

func (p Place) options(more ...nats.Option) []nats.Option {
	if p.Dialer != nil {
		more = append(more, nats.SetCustomDialer(p.Dialer))
	}
	return more
}

func startNATSServer(t testing.TB, s *session, binary, store string, env []string) *NATSServer {
	t.Helper()
	if binary == "" {
		binary = buildNATSServer(t, s)
	}
	if store == "" {
		store = filepath.Join(t.TempDir(), "store")
	}
	port := freePort(t)
	address := url.URL{Scheme: "nats", Host: net.JoinHostPort("127.0.0.1", port)}
	server := &NATSServer{
		URL: address.String(), session: s, binary: binary, port: port,
		store: store, env: env,
	}
	server.Start(t)
	return server
}

func buildNATSServer(t testing.TB, s *session) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, startTime)
	defer cancel()
	binary, err := standin.NATSServer(ctx, s.root, runtime.GOOS, runtime.GOARCH)
	if err != nil {
		t.Fatalf("build nats-server: %v", err)
	}
	return binary
}

// startNATSCluster starts a server in each place; they replicate their streams.
func startNATSCluster(t testing.TB, s *session, places []Place) []*NATSServer {
	t.Helper()
	binary := buildNATSServer(t, s)
	routes := make([]string, len(places))
	for i, place := range places {
		routes[i] = net.JoinHostPort(place.address(), freePort(t))
	}
	servers := make([]*NATSServer, len(places))
	for i, place := range places {
		n := &NATSServer{Name: fmt.Sprintf("n%d", i+1), session: s, binary: binary, place: place, port: freePort(t), store: filepath.Join(t.TempDir(), "store")}
		address := url.URL{Scheme: "nats", Host: net.JoinHostPort(place.address(), n.port)}
		n.URL = address.String()
		n.cluster = fmt.Sprintf("server_name: %s\ncluster { name: tests, listen: %q, routes: [%s] }\n",
			n.Name, routes[i], "nats://"+strings.Join(routes, ", nats://"))
		n.Start(t)
		servers[i] = n
	}
	awaitCluster(t, servers)
	return servers
}

// awaitCluster waits until the servers can replicate a stream.
func awaitCluster(t testing.TB, servers []*NATSServer) {
	t.Helper()
	conn, err := nats.Connect(servers[0].URL, servers[0].place.options()...)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	Eventually(t, natsReadyTime, "the cluster to take a stream", func() (bool, string) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{Name: "probe", Subjects: []string{"probe"}, Replicas: len(servers)}); err != nil {
			return false, err.Error()
		}
		if err := js.DeleteStream(ctx, "probe"); err != nil {
			return false, err.Error()
		}
		return true, ""
	})
}

// lastPort is the port that freePort tried last; test binaries that run side by
// side begin apart.
var lastPort atomic.Int32

// freePort returns a port that was free a moment ago and that this process
// does not hand out again. It is below the range from which the kernel takes
// ports for outgoing connections, so that nobody gets it by chance while the
// server is down.
func freePort(t testing.TB) string {
	t.Helper()
	const first, count = 20000, 12000
	lastPort.CompareAndSwap(0, int32(os.Getpid()*61%count))
	for range count {
		port := strconv.Itoa(first + int(lastPort.Add(1))%count)
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
		if err == nil {
			_ = listener.Close()
			return port
		}
	}
	t.Fatalf("no free port between %d and %d", first, first+count)
	return ""
}

// Start starts the server, after Kill or Stop, and waits until it answers.
func (n *NATSServer) Start(t testing.TB) {
	t.Helper()
	args := []string{"--addr", n.place.address(), "--port", n.port, "--jetstream", "--store_dir", n.store}
	settings := n.cluster
	if n.MaxPayload > 0 {
		settings += fmt.Sprintf("max_payload: %d\n", n.MaxPayload)
	}
	if settings != "" {
		config := filepath.Join(t.TempDir(), "nats.conf")
		if err := os.WriteFile(config, []byte(settings), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config", config)
	}
	line := slices.Concat(n.place.Through, []string{n.binary}, args)
	n.process = &Process{
		cmd:    exec.Command(line[0], line[1:]...),
		name:   "nats-server",
		stdout: newCapture(), stderr: newCapture(),
		exited: make(chan struct{}),
	}
	n.process.cmd.Env = append(os.Environ(), n.env...)
	n.process.cmd.Stdout, n.process.cmd.Stderr = n.process.stdout, n.process.stderr
	n.process.cmd.WaitDelay = outputWait
	n.process.start(t, n.session)
	Eventually(t, natsReadyTime, "the NATS server to answer", func() (bool, string) {
		conn, err := nats.Connect(n.URL, n.place.options(nats.Timeout(time.Second))...)
		if err != nil {
			return false, err.Error()
		}
		conn.Close()
		return true, ""
	})
}

// Kill ends the server as kill -9 does.
func (n *NATSServer) Kill(t testing.TB) {
	t.Helper()
	n.process.Kill(t)
}

// Stop ends the server in good order.
func (n *NATSServer) Stop(t testing.TB) {
	t.Helper()
	n.process.Terminate(t)
}

// DeleteStore removes all streams, consumers and messages. The server must not
// be running.
func (n *NATSServer) DeleteStore(t testing.TB) {
	t.Helper()
	if !isClosed(n.process.Exited()) {
		t.Fatal("DeleteStore: the NATS server is running")
	}
	if err := os.RemoveAll(n.store); err != nil {
		t.Fatal(err)
	}
}

// Store is the folder of the server's streams.
func (n *NATSServer) Store() string { return n.store }

// Process returns the server's current process, to freeze it for one.
func (n *NATSServer) Process() *Process { return n.process }
