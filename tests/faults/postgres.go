package faults

import (
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/streamgauge/streamgauge/sandbox/postgres"
)

// ownPostgres is a server that the run may break. It keeps its port, its data
// and its password over restarts.
type ownPostgres struct {
	t      *testing.T
	config postgres.Config
	server *postgres.Server
}

func startPostgres(t *testing.T, config postgres.Config) *ownPostgres {
	t.Helper()
	if config.Dir == "" {
		config.Dir = openFolder(t)
	}
	p := &ownPostgres{t: t, config: config}
	p.start()
	t.Cleanup(func() {
		if err := p.server.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// openFolder returns a temporary folder that the server's user may enter, which
// is not this one's where that is root.
func openFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "streamgauge-faults-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "postgres")
}

func (p *ownPostgres) start() {
	p.t.Helper()
	server, err := postgres.Start(p.t.Context(), p.config)
	if err != nil {
		p.t.Fatal(err)
	}
	p.server = server
	u, err := url.Parse(server.URL())
	if err != nil {
		p.t.Fatal(err)
	}
	if p.config.Port, err = strconv.Atoi(u.Port()); err != nil {
		p.t.Fatal(err)
	}
}

func (p *ownPostgres) url() string { return p.server.URL() }

// crash ends the server as an immediate shutdown does: nothing is written, the
// next start recovers from the log.
func (p *ownPostgres) crash() {
	p.t.Helper()
	if err := syscall.Kill(p.server.PID(), syscall.SIGQUIT); err != nil {
		p.t.Fatal(err)
	}
	<-p.server.Done()
	_ = p.server.Close() // it tells how it ended, which is known
}

// ended says whether the server has ended by itself.
func (p *ownPostgres) ended() bool {
	select {
	case <-p.server.Done():
		return true
	default:
		return false
	}
}

// restart starts a server that has ended.
func (p *ownPostgres) restart() {
	p.t.Helper()
	_ = p.server.Close() // how it ended is known
	p.start()
}
