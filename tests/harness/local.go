package harness

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"

	"github.com/streamgauge/streamgauge/sandbox/natsd"
	"github.com/streamgauge/streamgauge/sandbox/postgres"
)

// local is the backend without Docker: the sandbox's servers.
type local struct {
	why string

	mu      sync.Mutex
	closers []func() error
}

func newLocal(why string) *local { return &local{why: why} }

func (l *local) String() string {
	return fmt.Sprintf("NATS in this process and a private PostgreSQL (%s)", l.why)
}

func (l *local) startNATS(ctx context.Context, accounts []account) (string, error) {
	config := natsd.Config{}
	for _, a := range accounts {
		config.Accounts = append(config.Accounts, natsd.Account{Name: a.name, User: a.user, Password: a.password})
	}
	server, err := natsd.Start(ctx, config)
	if err != nil {
		return "", fmt.Errorf("start NATS: %w", err)
	}
	l.closeLater(server.Close)
	address, err := url.Parse(server.URL())
	if err != nil {
		return "", err
	}
	return address.Host, nil
}

func (l *local) startPostgres(ctx context.Context) (*url.URL, error) {
	server, err := postgres.Start(ctx, postgres.Config{Settings: postgresSettings()})
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	l.closeLater(server.Close)
	return url.Parse(server.URL())
}

func (l *local) closeLater(closer func() error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closers = append(l.closers, closer)
}

// close ends the servers; they can't be kept, being part of this process.
func (l *local) close(bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	for _, closer := range l.closers {
		errs = append(errs, closer())
	}
	return errors.Join(errs...)
}

// postgresSettings are the server parameters of a PostgreSQL for tests. Its
// data need not survive a power cut, only its own crash.
func postgresSettings() map[string]string {
	return map[string]string{
		"fsync":           "off",
		"max_connections": "300",
	}
}
