package stage

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/streamgauge/streamgauge/shared/topology"
	"github.com/streamgauge/streamgauge/tests/benchmarks/proc"
)

const (
	brokerReady    = 10 * time.Second
	readyInterval  = 10 * time.Millisecond
	connectTimeout = 200 * time.Millisecond
)

// Broker is a nats-server with file-backed streams.
type Broker struct {
	*proc.Process
	URL  string
	Conn *nats.Conn
	JS   jetstream.JetStream

	dir string
}

// Broker starts a server with an empty store. syncAlways makes it sync each
// message to disk before it acknowledges it; else it syncs as by default, every
// two minutes.
func (s *Stage) Broker(ctx context.Context, syncAlways bool) (*Broker, error) {
	dir, err := os.MkdirTemp(s.Dir, "nats-")
	if err != nil {
		return nil, err
	}
	b := &Broker{dir: dir}
	if err := b.start(ctx, s.NATS, syncAlways); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

func (b *Broker) start(ctx context.Context, program string, syncAlways bool) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	sync := ""
	if syncAlways {
		sync = "\n  sync_interval: always"
	}
	config := filepath.Join(b.dir, "nats.conf")
	text := fmt.Sprintf("host: 127.0.0.1\nport: %d\njetstream {\n  store_dir: %q%s\n}\n", port, filepath.Join(b.dir, "store"), sync)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	b.URL = fmt.Sprintf("nats://127.0.0.1:%d", port)
	if b.Process, err = proc.Start("nats-server", program, nil, "--config", config); err != nil {
		return err
	}
	if err := b.connect(ctx); err != nil {
		return err
	}
	b.JS, err = jetstream.New(b.Conn)
	return err
}

func (b *Broker) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, brokerReady, fmt.Errorf("nats-server was not ready within %s", brokerReady))
	defer cancel()
	ticker := time.NewTicker(readyInterval)
	defer ticker.Stop()
	for {
		var err error
		if b.Conn, err = nats.Connect(b.URL, nats.Timeout(connectTimeout)); err == nil {
			return nil
		}
		select {
		case <-ticker.C:
		case <-b.Ended():
			return b.Unexpected()
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
	}
}

// Backlog is how many messages the stream holds that have not been acknowledged.
func (b *Broker) Backlog(ctx context.Context) (uint64, error) {
	stream, err := b.JS.Stream(ctx, topology.StreamRows)
	if err != nil {
		return 0, err
	}
	return stream.CachedInfo().State.Msgs, nil
}

// Close ends the server and removes its store.
func (b *Broker) Close() error {
	var err error
	if b.Conn != nil {
		b.Conn.Close()
	}
	if b.Process != nil {
		err = b.Stop()
	}
	return errors.Join(err, os.RemoveAll(b.dir))
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	address, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		return 0, fmt.Errorf("no port in %s", listener.Addr())
	}
	return address.Port, nil
}
