package store

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// lockTimeout bounds a wait for another transaction, which is then tried again:
// so that nobody waits for ever behind a session that hangs.
const lockTimeout = 3 * time.Second

// idleTimeout is how long a session may leave its transaction idle before
// PostgreSQL ends it, whoever's it is: an operator's command that was stopped while
// it held the statistics would keep every consumer from its commits, and these may
// not end the session of another role. It lies below the 10 s within which work is
// to go on, by the longest pause between two attempts, and above what a
// transaction waits for with reason: a publish of 3 s, or this process' other
// writer, which has given up after lockTimeout. What was ended is tried again.
const idleTimeout = 8 * time.Second

// connectTimeout bounds each attempt to connect, unless the address says otherwise.
const connectTimeout = 5 * time.Second

// tcpUserTimeout is how long either end lets sent bytes go without TCP's
// acknowledgement; as long as keepalives take to find a silent peer.
const tcpUserTimeout = 5 * time.Second

// pingTimeout bounds the question whether a session still works that was not
// used for a second.
const pingTimeout = 1500 * time.Millisecond

// ConnectError says why PostgreSQL can't be reached, with the remedy.
type ConnectError struct {
	// Address has no password.
	Address string
	Reason  string
	Remedy  string
	Cause   error
}

func (e *ConnectError) Error() string {
	return fmt.Sprintf("cannot reach PostgreSQL at %s: %s. %s", e.Address, e.Reason, e.Remedy)
}

func (e *ConnectError) Unwrap() error { return e.Cause }

// Connect opens a pool of at most connections sessions and makes sure that one
// works. An empty address leaves all to libpq's PG* variables. The pool makes
// new sessions by itself when old ones break. The error is a *ConnectError.
func Connect(ctx context.Context, address string, connections int) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, addressError(address, err)
	}
	configure(config, connections)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, connectError(config.ConnConfig, err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, connectError(config.ConnConfig, err)
	}
	return pool, nil
}

func configure(config *pgxpool.Config, connections int) {
	config.MaxConns = int32(connections)
	conn := config.ConnConfig
	if conn.ConnectTimeout == 0 {
		conn.ConnectTimeout = connectTimeout
	}
	// Both ends notice a peer that vanished within five seconds.
	dialer := &net.Dialer{Control: limitUnacknowledged, KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: 2 * time.Second, Interval: time.Second, Count: 3,
	}}
	conn.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &meteredConn{Conn: conn}, nil
	}
	config.PingTimeout = pingTimeout
	config.BeforeClose = abandonBroken
	maps.Copy(conn.RuntimeParams, map[string]string{
		"application_name":        applicationName,
		"timezone":                "UTC",
		"lock_timeout":            fmt.Sprint(lockTimeout.Milliseconds()),
		"tcp_keepalives_idle":     "2",
		"tcp_keepalives_interval": "1",
		"tcp_keepalives_count":    "3",
		"tcp_user_timeout":        fmt.Sprint(tcpUserTimeout.Milliseconds()),

		"idle_in_transaction_session_timeout": fmt.Sprint(idleTimeout.Milliseconds()),
	})
	// A message is acknowledged because its commit is on disk. Where the server
	// would answer before that, ask for it; stricter settings stay.
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'")
		return err
	}
}

func describe(config *pgx.ConnConfig) string {
	if strings.HasPrefix(config.Host, "/") {
		return fmt.Sprintf("%s, database %s, user %s", config.Host, cmp.Or(config.Database, config.User), config.User)
	}
	u := url.URL{
		Scheme: "postgres",
		User:   url.User(config.User),
		Host:   net.JoinHostPort(config.Host, fmt.Sprint(config.Port)),
		Path:   "/" + config.Database,
	}
	return u.String()
}

// addressError does not repeat pgx's text, which may hold the password.
func addressError(address string, err error) error {
	e := &ConnectError{"the address given", "not a PostgreSQL address", "Write it as postgres://user:password@host:5432/database", err}
	if address == "" {
		e.Address, e.Remedy = "what the PG* variables say", "Correct them, or set DATABASE_URL"
	}
	if file, ok := errors.AsType[*os.PathError](err); ok {
		e.Reason, e.Remedy = file.Error(), "Check the certificate, key and service files that are named"
	}
	return e
}

func connectError(config *pgx.ConnConfig, err error) error {
	e := &ConnectError{describe(config), oneLine(err.Error()), "Start it with 'docker compose up -d postgres', or set DATABASE_URL", err}
	var server *pgconn.PgError
	var dns *net.DNSError
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.As(err, &untrusted):
		e.Reason = "its certificate is not trusted: " + oneLine(untrusted.Err.Error())
		e.Remedy = "Name its authority with sslrootcert=FILE in DATABASE_URL, and the server as the certificate does"
	case errors.As(err, &server):
		e.Reason = server.Message
		switch sqlClass(server.Code) {
		case "28":
			e.Remedy = "Check user and password in DATABASE_URL, or set PGUSER and PGPASSWORD"
		case "3D":
			e.Remedy = "Create it with 'createdb', or name another one in DATABASE_URL"
		case "53":
			e.Remedy = "Raise max_connections, or stop other clients"
		case "57":
			e.Remedy = "Wait until it has started"
		}
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Reason = "connection refused"
	case strings.Contains(err.Error(), "refused TLS"): // pgconn has no error value for it
		e.Reason, e.Remedy = "the server refuses TLS", "Turn it on there, or give sslmode=prefer in DATABASE_URL"
	case errors.As(err, &dns):
		e.Reason, e.Remedy = "no such host", "Check the address in DATABASE_URL"
	case errors.Is(err, os.ErrNotExist):
		e.Reason = "no server listens on that socket"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		e.Reason = fmt.Sprintf("no answer within %s", config.ConnectTimeout)
	}
	return e
}

// spaces also matches the line breaks in pgx's lists of attempts.
var spaces = regexp.MustCompile(`\s+`)

func oneLine(text string) string { return strings.TrimSpace(spaces.ReplaceAllString(text, " ")) }
