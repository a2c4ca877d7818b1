package operations

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/streamgauge/streamgauge/tests/harness"
	"github.com/streamgauge/streamgauge/tests/oracle"
)

// secured is a server that runs deploy/nats/nats.conf, on a port and with files
// of the test's own.
type secured struct {
	address     string // host and port
	certificate string // what its clients have to trust
}

func startSecured(t *testing.T, env *harness.Env) secured {
	t.Helper()
	dir := t.TempDir()
	s := secured{certificate: filepath.Join(dir, "server.pem")}
	writeCertificate(t, s.certificate, filepath.Join(dir, "server-key.pem"))
	config := shipped(t, env, "nats", "nats.conf")
	for from, to := range map[string]string{
		"0.0.0.0:4222": "127.0.0.1:-1", "/var/lib/nats": filepath.Join(dir, "store"), "/etc/nats/": dir + "/",
		"$PRODUCER_PASSWORD": "producers", "$CONSUMER_PASSWORD": "consumers", "$WATCHER_PASSWORD": "watchers",
		"users = [": "users = [ { user: admin, password: admins }",
	} {
		if !strings.Contains(config, from) {
			t.Fatalf("nats.conf lacks %s", from)
		}
		config = strings.ReplaceAll(config, from, to)
	}
	path := filepath.Join(dir, "nats.conf")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	options, err := server.ProcessConfigFile(path)
	if err != nil {
		t.Fatal(err)
	}
	options.NoSigs, options.NoLog = true, true
	running, err := server.NewServer(options)
	if err != nil {
		t.Fatal(err)
	}
	running.Start()
	t.Cleanup(func() {
		running.Shutdown()
		running.WaitForShutdown()
	})
	if !running.ReadyForConnections(30 * time.Second) {
		t.Fatal("the server does not get ready")
	}
	s.address = running.Addr().String()
	return s
}

// as is the environment of a program that connects as one of the users.
func (s secured) as(user string) []string {
	return []string{"NATS_URL=tls://" + user + ":" + user + "s@" + s.address, "SSL_CERT_FILE=" + s.certificate}
}

func (s secured) connect(t *testing.T, user string) *nats.Conn {
	t.Helper()
	conn, err := nats.Connect("tls://"+s.address, nats.UserInfo(user, user+"s"), nats.RootCAs(s.certificate), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// deleteStream does what only a user can that the test adds.
func (s secured) deleteStream(t *testing.T, name string) {
	t.Helper()
	js, err := jetstream.New(s.connect(t, "admin"))
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteStream(t.Context(), name); err != nil {
		t.Fatal(err)
	}
}

func writeCertificate(t *testing.T, certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "nats"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{certificate: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: encoded}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestUsers: the rights in nats.conf are enough for producer, consumer and
// whoever watches, over TLS, also when streams and the durable consumer vanish.
func TestUsers(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	s := startSecured(t, env)
	consumer := env.Start(t, harness.Command{Program: "consumer", Env: s.as("consumer")})
	consumer.WaitFor(t, "msg=ready", 2*time.Minute)

	watcher := s.connect(t, "watcher")
	watched, err := watcher.SubscribeSync("stats.price")
	if err != nil {
		t.Fatal(err)
	}
	if err := watcher.Flush(); err != nil {
		t.Fatal(err)
	}

	load := func(code int, args ...string) harness.Result {
		t.Helper()
		result := env.Run(t, harness.Command{Program: "producer", Args: append(args, "--wait"), Env: s.as("producer")}).Exits(t, code)
		if strings.Contains(result.Stderr, "ermission") {
			t.Errorf("the producer lacks a right:\n%s", result.Stderr)
		}
		return result
	}
	first, second := env.Sample(t, "2012-1.csv"), env.Sample(t, "2012-2.csv")
	contains(t, "the producer", load(0, "--file", first).Stdout, "22 new, 0 already loaded")
	contains(t, "the producer, again", load(0, "--file", first).Stdout, "0 new, 22 already loaded")
	if _, err := watched.NextMsg(10 * time.Second); err != nil {
		t.Errorf("the watcher hears nothing: %v", err)
	}

	contains(t, "doctor", env.Run(t, harness.Command{Program: "consumer", Args: []string{"doctor"}, Env: s.as("consumer")}).Exits(t, 0).Stdout, "durable consumer price-writer")
	env.Run(t, harness.Command{Program: "consumer", Args: []string{"loads"}, Env: s.as("consumer")}).Exits(t, 0)
	for _, stream := range []string{"ROWS", "STATS"} {
		s.deleteStream(t, stream)
	}
	contains(t, "the producer", load(0, "--file", second).Stdout, "29 new, 0 already loaded")
	oracle.CheckTables(t, env, oracle.FromFile(t, first, ""), oracle.FromFile(t, second, ""))
	consumer.Terminate(t).Exits(t, 0)
	if log := consumer.Stderr(); strings.Contains(log, "ermission") {
		t.Errorf("the consumer lacks a right:\n%s", log)
	}
}

// TestCertificateNotTrusted: the authority is asked for by name.
func TestCertificateNotTrusted(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	s := startSecured(t, env)
	address := "NATS_URL=tls://producer:producers@" + s.address
	result := env.Run(t, harness.Command{Program: "producer", Args: []string{"--file", env.Sample(t, "2012-1.csv")}, Env: []string{address}}).Exits(t, 1)
	want := "producer: cannot reach NATS at tls://producer:xxxxx@" + s.address + ": its certificate is not trusted: x509: certificate signed by unknown authority. " +
		"Name its authority with SSL_CERT_FILE=FILE or in a context (--context), and the server as the certificate does\n"
	if result.Stderr != want {
		t.Errorf("%q, want %q", result.Stderr, want)
	}
}

// TestUsersMayNotDoMore: what would let one take another's part is refused.
func TestUsersMayNotDoMore(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	s := startSecured(t, env)
	for _, c := range []struct{ user, may, subject string }{
		{"producer", "publish", "stats.price"},
		{"producer", "publish", "$JS.API.STREAM.DELETE.ROWS"},
		{"producer", "publish", "$JS.API.STREAM.PURGE.ROWS"},
		{"producer", "publish", "$JS.API.CONSUMER.MSG.NEXT.ROWS.price-writer"},
		{"producer", "subscribe", "rows.price"},
		{"producer", "subscribe", "streamgauge.load"},
		{"consumer", "publish", "$JS.API.STREAM.DELETE.ROWS"},
		{"producer", "publish", "$JS.API.CONSUMER.DELETE.ROWS.price-writer"},
		{"consumer", "publish", "$JS.API.STREAM.PURGE.ROWS"},
		{"consumer", "publish", "$JS.API.CONSUMER.DELETE.ROWS.another"},
		{"consumer", "subscribe", "rows.price"},
		{"watcher", "publish", "stats.price"},
		{"watcher", "publish", "streamgauge.load"},
		{"watcher", "subscribe", "rows.price"},
	} {
		t.Run(c.user+" "+c.may+" "+c.subject, func(t *testing.T) {
			conn := s.connect(t, c.user)
			var err error
			if c.may == "publish" {
				err = conn.Publish(c.subject, []byte("x"))
			} else {
				_, err = conn.SubscribeSync(c.subject)
			}
			if err != nil {
				t.Fatal(err)
			}
			// The server's refusal comes before its answer to this.
			if err := conn.Flush(); err != nil {
				t.Fatal(err)
			}
			if !errors.Is(conn.LastError(), nats.ErrPermissionViolation) {
				t.Errorf("it may: %v", conn.LastError())
			}
		})
	}
}
