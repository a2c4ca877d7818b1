package store

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

const (
	startIt    = "Start it with 'docker compose up -d postgres', or set DATABASE_URL"
	checkUser  = "Check user and password in DATABASE_URL, or set PGUSER and PGPASSWORD"
	writeItAs  = "cannot reach PostgreSQL at the address given: not a PostgreSQL address. Write it as postgres://user:password@host:5432/database"
	checkFiles = "Check the certificate, key and service files that are named"
)

// noPostgresVariables makes the test see no server but its own.
func noPostgresVariables(t *testing.T) {
	t.Helper()
	for _, name := range []string{"PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGSSLMODE", "PGSERVICE", "PGSSLROOTCERT"} {
		t.Setenv(name, "")
	}
	t.Setenv("PGPASSFILE", filepath.Join(t.TempDir(), "none"))
}

func checkConnectError(t *testing.T, address, want string) {
	t.Helper()
	pool, err := Connect(t.Context(), address, 1)
	if err == nil {
		pool.Close()
		t.Fatal("connected")
	}
	if _, ok := errors.AsType[*ConnectError](err); !ok {
		t.Fatalf("got a %T", err)
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error("want -, got +", diff)
	}
	if strings.Contains(err.Error(), "s3cret") {
		t.Error("it shows the password")
	}
}

func TestConnectRefused(t *testing.T) {
	noPostgresVariables(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := listener.Addr().String()
	_ = listener.Close()
	want := "cannot reach PostgreSQL at postgres://u@" + closed + "/d: connection refused. " + startIt
	checkConnectError(t, "postgres://u:s3cret@"+closed+"/d", want)
	checkConnectError(t, "postgres://u:s3cret@"+closed+"/d?sslmode=disable", want)
	host, port, _ := net.SplitHostPort(closed)
	checkConnectError(t, fmt.Sprintf("host=%s port=%s user=u password='s3 s3cret' dbname=d", host, port), want)
	t.Setenv("PGPASSWORD", "s3cret")
	t.Setenv("PGHOST", host)
	t.Setenv("PGPORT", port)
	t.Setenv("PGUSER", "u")
	t.Setenv("PGDATABASE", "d")
	checkConnectError(t, "", want)
}

func TestConnectSocketMissing(t *testing.T) {
	noPostgresVariables(t)
	dir := t.TempDir()
	checkConnectError(t, "host="+dir+" user=u password=s3cret dbname=d",
		"cannot reach PostgreSQL at "+dir+", database d, user u: no server listens on that socket. "+startIt)
}

func TestConnectBadAddress(t *testing.T) {
	noPostgresVariables(t)
	for rule, address := range map[string]string{
		"other scheme":      "mysql://u:s3cret@h/d",
		"bad port":          "postgres://u:s3cret@h:port/d",
		"bad escape":        "postgres://u:s3cret%zz@h/d",
		"space in password": "postgres://u:s3cret s3cret@h:x/d",
		"slash in password": "postgres://u:s3cret/s3cret@h:x/d",
		"bad option":        "postgres://u:s3cret@h/d?sslmode=perhaps",
		"half a pair":       "host=h password=s3cret port",
		"a word":            "s3cret",
	} {
		t.Run(rule, func(t *testing.T) { checkConnectError(t, address, writeItAs) })
	}
	t.Run("variables", func(t *testing.T) {
		t.Setenv("PGPORT", "port")
		t.Setenv("PGPASSWORD", "s3cret")
		checkConnectError(t, "", "cannot reach PostgreSQL at what the PG* variables say: not a PostgreSQL address. Correct them, or set DATABASE_URL")
	})
	t.Run("missing certificate", func(t *testing.T) {
		missing := filepath.Join(t.TempDir(), "ca.pem")
		checkConnectError(t, "postgres://u:s3cret@h/d?sslmode=verify-full&sslrootcert="+missing,
			"cannot reach PostgreSQL at the address given: open "+missing+": no such file or directory. "+checkFiles)
	})
}

func TestConnectCertificateNotTrusted(t *testing.T) {
	noPostgresVariables(t)
	t.Setenv("SSL_CERT_FILE", filepath.Join(t.TempDir(), "none"))
	https := httptest.NewTLSServer(http.NotFoundHandler()) // has a certificate
	t.Cleanup(https.Close)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.ReadFull(conn, make([]byte, 8)) // may it be TLS?
			_, _ = conn.Write([]byte("S"))
			_ = tls.Server(conn, https.TLS).HandshakeContext(context.Background())
			_ = conn.Close()
		}
	}()
	address := listener.Addr().String()
	checkConnectError(t, "postgres://u:s3cret@"+address+"/d?sslmode=verify-full",
		"cannot reach PostgreSQL at postgres://u@"+address+"/d: its certificate is not trusted: x509: certificate signed by unknown authority. "+
			"Name its authority with sslrootcert=FILE in DATABASE_URL, and the server as the certificate does")
}

func TestConnectRefusedByTheServer(t *testing.T) {
	noPostgresVariables(t)
	for _, test := range []struct {
		code, message, remedy string
	}{
		{"28P01", `password authentication failed for user "u"`, checkUser},
		{"28000", `no pg_hba.conf entry for host "127.0.0.1"`, checkUser},
		{"3D000", `database "d" does not exist`, "Create it with 'createdb', or name another one in DATABASE_URL"},
		{"53300", "sorry, too many clients already", "Raise max_connections, or stop other clients"},
		{"57P03", "the database system is starting up", "Wait until it has started"},
		{"42501", `permission denied for database "d"`, startIt},
	} {
		t.Run(test.code, func(t *testing.T) {
			address := fakeServer(t, func(s *session) { s.refuse(test.code, test.message) })
			want := "cannot reach PostgreSQL at postgres://u@" + address + "/d: " + test.message + ". " + test.remedy
			for _, mode := range []string{"disable", "prefer"} {
				checkConnectError(t, "postgres://u:s3cret@"+address+"/d?sslmode="+mode, want)
			}
		})
	}
}

func TestConnectNoAnswer(t *testing.T) {
	noPostgresVariables(t)
	address := fakeServer(t, func(s *session) { _, _ = s.conn.Read(make([]byte, 1024)); _, _ = s.conn.Read(make([]byte, 1024)) })
	checkConnectError(t, "postgres://u:s3cret@"+address+"/d?sslmode=disable&connect_timeout=1",
		"cannot reach PostgreSQL at postgres://u@"+address+"/d: no answer within 1s. "+startIt)
}

func TestConnectNoPostgres(t *testing.T) {
	noPostgresVariables(t)
	address := fakeServer(t, func(s *session) { _, _ = s.conn.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) })
	_, err := Connect(t.Context(), "postgres://u:s3cret@"+address+"/d?sslmode=disable", 1)
	if err == nil || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v", err)
	}
}

func TestConnectErrorOfNames(t *testing.T) {
	config := &pgx.ConnConfig{Config: pgconn.Config{Host: "nowhere", Port: 5432, User: "u", Password: "s3cret", Database: "d"}}
	err := connectError(config, fmt.Errorf("x: %w", &net.DNSError{Err: "no such host", Name: "nowhere", IsNotFound: true}))
	if diff := cmp.Diff("cannot reach PostgreSQL at postgres://u@nowhere:5432/d: no such host. Check the address in DATABASE_URL", err.Error()); diff != "" {
		t.Error("want -, got +", diff)
	}
}

// Every session has the settings that the promises rest on.
func TestConnectConfiguresSessions(t *testing.T) {
	noPostgresVariables(t)
	startup := make(chan map[string]string, 1)
	queries := make(chan string, 10)
	address := fakeServer(t, func(s *session) {
		message, err := s.ReceiveStartupMessage()
		if err != nil {
			return
		}
		startup <- message.(*pgproto3.StartupMessage).Parameters
		s.send(&pgproto3.AuthenticationOk{}, &pgproto3.ReadyForQuery{TxStatus: 'I'})
		for {
			message, err := s.Receive()
			if err != nil {
				return
			}
			if query, simple := message.(*pgproto3.Query); simple {
				queries <- query.String
				s.send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 0")}, &pgproto3.ReadyForQuery{TxStatus: 'I'})
			}
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	pool, err := Connect(ctx, "postgres://u:s3cret@"+address+"/d?sslmode=disable&application_name=mine", 3)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	want := map[string]string{
		"user": "u", "database": "d", "application_name": "streamgauge consumer", "timezone": "UTC", "lock_timeout": "3000",
		"idle_in_transaction_session_timeout": "8000",
		"tcp_keepalives_idle":                 "2", "tcp_keepalives_interval": "1", "tcp_keepalives_count": "3",
	}
	got := <-startup
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s is %q, want %q", name, got[name], value)
		}
	}
	if query := <-queries; !strings.Contains(query, "synchronous_commit") {
		t.Errorf("the first query is %q", query)
	}
	if pool.Config().MaxConns != 3 {
		t.Errorf("at most %d connections", pool.Config().MaxConns)
	}
}
