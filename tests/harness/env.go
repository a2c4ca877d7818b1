package harness

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// setupTime bounds one step of setting up or clearing an environment.
const setupTime = time.Minute

// Env is one test's environment: a NATS account and a database that no other
// test has, both empty. Its methods fail the test they are given on trouble,
// and may be called from several tests' goroutines at once, except where the
// testing package forbids it.
type Env struct {
	// NATSURL is the server's address with the account's user and password.
	NATSURL string
	// DatabaseURL is the database's address with user and password. The user
	// is a superuser.
	DatabaseURL string
	// Database is the database's name.
	Database string
	// DB is a pool of a few connections to the database.
	DB *pgxpool.Pool
	// Server is the test's own NATS server, nil without WithOwnNATS.
	Server *NATSServer
	// Cluster is the test's own cluster, nil without WithNATSCluster.
	Cluster []*NATSServer

	session *session

	mu      sync.Mutex
	started []*Process // of which some may have ended
}

// Option changes what New makes.
type Option func(*options)

type options struct {
	ownNATS    bool
	natsStore  string
	natsBinary string
	natsEnv    []string
	cluster    []Place
}

// WithOwnNATS gives the test a NATS server of its own, which it may kill, rob
// of its store and start again on the same port; see [Env.Server].
func WithOwnNATS() Option { return func(o *options) { o.ownNATS = true } }

// WithNATSStore is WithOwnNATS with the server's store in a folder of the test's
// choice, which it makes.
func WithNATSStore(dir string) Option {
	return func(o *options) { o.ownNATS, o.natsStore = true, dir }
}

// WithNATSBinary is WithOwnNATS with another nats-server, and variables for its
// environment.
func WithNATSBinary(path string, env ...string) Option {
	return func(o *options) { o.ownNATS, o.natsBinary, o.natsEnv = true, path, env }
}

// WithNATSCluster gives the test a cluster of three servers of its own; see
// [Env.Cluster]. NATSURL then names all of them.
func WithNATSCluster() Option { return WithNATSClusterAt(make([]Place, clusterSize)...) }

// WithNATSClusterAt is WithNATSCluster with a server in each place. The dialer of
// the first has to reach all of them.
func WithNATSClusterAt(places ...Place) Option {
	return func(o *options) { o.cluster = places }
}

const clusterSize = 3

// New makes an environment. When the test ends, its processes have been ended
// (they register their own cleanup later), and the database is dropped if the
// test passed; if not, it stays for as long as the servers, and its name and
// what its tables hold are logged.
func New(t testing.TB, opts ...Option) *Env {
	t.Helper()
	var chosen options
	for _, option := range opts {
		option(&chosen)
	}
	if err := shared.start(); err != nil {
		t.Fatalf("start the test servers: %v", err)
	}
	e := &Env{session: shared}
	ctx, cancel := context.WithTimeout(context.Background(), setupTime)
	defer cancel()
	switch {
	case chosen.cluster != nil:
		e.Cluster = startNATSCluster(t, e.session, chosen.cluster)
		urls := make([]string, len(e.Cluster))
		for i, n := range e.Cluster {
			urls[i] = n.URL
		}
		e.NATSURL = strings.Join(urls, ",")
	case chosen.ownNATS:
		e.Server = startNATSServer(t, e.session, chosen.natsBinary, chosen.natsStore, chosen.natsEnv)
		e.NATSURL = e.Server.URL
	default:
		_, address, err := e.session.takeAccount(ctx)
		if err != nil {
			t.Fatalf("take a NATS account: %v", err)
		}
		e.NATSURL = address
	}
	e.createDatabase(ctx, t)
	return e
}

// RaceDetector says whether the binaries were built with the race detector,
// which makes them several times slower and larger.
func RaceDetector() bool { return shared.start() == nil && shared.binaries.race }

// Root returns the path of the checkout.
func (e *Env) Root() string { return e.session.root }

// Sample returns the path of one of the sandbox's sample files, such as
// 2012-1.csv.
func (e *Env) Sample(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(e.session.root, "sandbox", "data", name)
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// File writes a file of the given name into a folder of its own, which goes
// with the test, and returns its path.
func (e *Env) File(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Purge empties a stream.
func (e *Env) Purge(t testing.TB, name string) {
	t.Helper()
	stream, err := e.JetStream(t).Stream(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Conn returns a new connection to the account, which never gives up and is
// closed with the test. A server that is late to answer gets another chance.
func (e *Env) Conn(t testing.TB) *nats.Conn {
	t.Helper()
	var place Place
	if e.Cluster != nil {
		place = e.Cluster[0].place
	}
	options := place.options(nats.Name(t.Name()),
		nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond), nats.ReconnectJitter(0, 0))
	var conn *nats.Conn
	Eventually(t, natsReadyTime, "a connection to NATS", func() (bool, string) {
		var err error
		conn, err = nats.Connect(e.NATSURL, options...)
		return err == nil, fmt.Sprint(err)
	})
	t.Cleanup(conn.Close)
	return conn
}

// JetStream returns the account's JetStream on a connection of its own.
func (e *Env) JetStream(t testing.TB) jetstream.JetStream {
	t.Helper()
	js, err := jetstream.New(e.Conn(t))
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// Environ returns the environment variables that the programs get: this
// process's without any that says where NATS or PostgreSQL is, and this
// environment's addresses.
func (e *Env) Environ() []string {
	var environ []string
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "NATS_") || strings.HasPrefix(name, "PG") ||
			strings.HasPrefix(name, "STREAMGAUGE_") || name == "DATABASE_URL" || name == "GOCOVERDIR" {
			continue
		}
		environ = append(environ, variable)
	}
	return append(environ,
		"NATS_URL="+e.NATSURL,
		"DATABASE_URL="+e.DatabaseURL,
		"NO_COLOR=1",
		"GORACE=halt_on_error=1 atexit_sleep_ms=0")
}

// databaseURL returns the superuser's address of a database.
func databaseURL(server *url.URL, database string) string {
	address := *server
	address.Path = "/" + database
	return address.String()
}

// databaseName makes a name from the test's, which tells what it was for, and
// a number, which makes it unique.
func databaseName(test string, number int) string {
	const longest = 40 // PostgreSQL's own limit is 63 bytes
	name := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			return r
		case 'A' <= r && r <= 'Z':
			return r - 'A' + 'a'
		default:
			return '_'
		}
	}, test)
	return fmt.Sprintf("t%d_%s", number, name[:min(len(name), longest)])
}
