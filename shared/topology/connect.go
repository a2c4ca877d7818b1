package topology

import (
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/synadia-io/orbit.go/natscontext"
)

// Server says where NATS is. The zero value is nats://127.0.0.1:4222.
type Server struct {
	// URL is one or more addresses, separated by commas.
	URL string
	// Creds is a credentials file; empty for none.
	Creds string
	// Context is the name of a context of the nats CLI; URL and Creds must then be empty.
	Context string
}

// Validate reports settings that exclude each other.
func (s Server) Validate() error {
	if s.Context != "" && (s.URL != "" || s.Creds != "") {
		return errors.New("a NATS context excludes a server address and credentials: give one or the other")
	}
	return nil
}

// OrEnvironment fills what was not given from NATS_URL, NATS_CREDS and
// NATS_CONTEXT, as the nats command line does; getenv is os.Getenv. A context
// that was given excludes the variables of what it would exclude, and the other
// way round.
func (s Server) OrEnvironment(getenv func(string) string) Server {
	byContext, byAddress := s.Context != "", s.URL != "" || s.Creds != ""
	if s.URL == "" && !byContext {
		s.URL = getenv("NATS_URL")
	}
	if s.Creds == "" && !byContext {
		s.Creds = getenv("NATS_CREDS")
	}
	if s.Context == "" && !byAddress {
		s.Context = getenv("NATS_CONTEXT")
	}
	return s
}

// writeTimeout bounds a write to a server that does not read, during which the
// whole connection stands still. It is enough for the largest message at 60 KB/s.
const writeTimeout = 10 * time.Second

// Connect reaches NATS once, and from then on reconnects for ever. Nothing is
// buffered while it is disconnected: a publish then fails at once, and whoever
// published decides. A server that falls silent is noticed within six seconds.
// The error is a *ConnectError. The options come after the pair's own and win.
func Connect(s Server, name string, options ...nats.Option) (*nats.Conn, error) {
	options = append([]nats.Option{
		nats.Name(name),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(250 * time.Millisecond),
		nats.ReconnectJitter(250*time.Millisecond, 250*time.Millisecond),
		nats.ReconnectBufSize(-1),
		nats.PingInterval(2 * time.Second),
		nats.MaxPingsOutstanding(2),
		nats.Timeout(5 * time.Second),
		nats.FlusherTimeout(writeTimeout),
		// Rotated credentials and a restarting account server show as
		// authentication errors for a while; giving up would lose the process.
		nats.IgnoreAuthErrorAbort(),
	}, options...)
	if s.Context != "" {
		nc, _, err := natscontext.Connect(s.Context, options...)
		if err != nil {
			return nil, connectError("context "+s.Context, err)
		}
		return nc, nil
	}
	if s.Creds != "" {
		options = append(options, nats.UserCredentials(s.Creds))
	}
	address := s.URL
	if address == "" {
		address = nats.DefaultURL
	}
	nc, err := nats.Connect(address, options...)
	if err != nil {
		return nil, connectError(address, err)
	}
	return nc, nil
}

func connectError(address string, err error) error {
	e := &ConnectError{
		URL:    redact(address),
		Reason: strings.ReplaceAll(err.Error(), address, redact(address)),
		Remedy: "Start it with 'docker compose up -d nats', or set NATS_URL",
		Cause:  err,
	}
	var dns *net.DNSError
	var network net.Error
	var malformed *url.Error
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.As(err, &untrusted):
		e.Reason = "its certificate is not trusted: " + untrusted.Err.Error()
		e.Remedy = "Name its authority with SSL_CERT_FILE=FILE or in a context (--context), and the server as the certificate does"
	case errors.As(err, &malformed):
		e.Reason = "not a NATS address"
		e.Remedy = "Write it as nats://user:password@host:4222, with special characters of the password as %XX"
	case errors.Is(err, nats.ErrNoServers), errors.Is(err, syscall.ECONNREFUSED):
		e.Reason = "connection refused"
	case errors.As(err, &dns):
		e.Reason, e.Remedy = "no such host", "Check the address, or set NATS_URL"
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired):
		e.Reason, e.Remedy = "user or password refused", "Correct them in the address (nats://user:password@host:4222), or give --creds or --context"
	case errors.Is(err, os.ErrNotExist):
		e.Reason, e.Remedy = "credentials file or context not found", "Check --creds and --context"
	case strings.Contains(err.Error(), "unable to extract key pair"): // nats.go has no error value for it
		e.Reason, e.Remedy = "the credentials file holds no key", "Check --creds and NATS_CREDS"
	case errors.Is(err, nats.ErrTimeout), errors.As(err, &network) && network.Timeout():
		e.Reason, e.Remedy = "no answer within 5 s", "Check that a NATS server listens there, or set NATS_URL"
	case strings.HasPrefix(err.Error(), "unknown context"): // natscontext has no error value for it
		e.Remedy = "'nats context ls' lists those there are"
	}
	return e
}

// redact masks passwords and tokens in a list of addresses, also where they can't
// be parsed: such as those whose password needs escapes.
func redact(addresses string) string {
	list := strings.Split(addresses, ",")
	for i, address := range list {
		at := strings.LastIndexByte(address, '@')
		if at < 0 {
			continue
		}
		before := address[:at]
		scheme := 0
		if end := strings.Index(before, "://"); end >= 0 {
			scheme = end + len("://")
		}
		user, _, found := strings.Cut(before[scheme:], ":")
		if found {
			user += ":"
		} else {
			user = "" // A name alone is a token.
		}
		list[i] = address[:scheme] + user + "xxxxx" + address[at:]
	}
	return strings.Join(list, ",")
}
