package deliver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/streamgauge/streamgauge/producer/internal/commit"
	"github.com/streamgauge/streamgauge/producer/internal/load"
	"github.com/streamgauge/streamgauge/producer/internal/publish"
	"github.com/streamgauge/streamgauge/shared/topology"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// ensureTimeout bounds one attempt to look up and create the streams.
const ensureTimeout = 10 * time.Second

// broker is the connection, and what arrives on it besides answers.
type broker struct {
	conn *nats.Conn
	js   jetstream.JetStream
	// rows is the size of the stream ROWS in bytes.
	rows   int64
	denied *publish.Denial
	// unheard comes when questions about loads are denied. told are the denials of
	// all else that have been told.
	unheard *publish.Denial
	told    sync.Map
	wait    bool
	config  topology.Config
}

func connect(ctx context.Context, cfg Config, log *slog.Logger) (*broker, error) {
	b := &broker{config: cfg.Streams, denied: publish.NewDenial(), unheard: publish.NewDenial(), wait: cfg.Wait}
	var err error
	b.conn, err = topology.Connect(cfg.Server, "streamgauge producer",
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { b.note(err, log) }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn("the connection to NATS is lost, reconnecting", "cause", err)
			}
		}),
		nats.ReconnectHandler(func(conn *nats.Conn) { log.Info("connected to NATS again", "server", conn.ConnectedUrlRedacted()) }),
	)
	if err != nil {
		return nil, err
	}
	if err := b.prepare(ctx, cfg, log); err != nil {
		b.conn.Close()
		return nil, err
	}
	return b, nil
}

func (b *broker) prepare(ctx context.Context, cfg Config, log *slog.Logger) error {
	if limit := b.conn.MaxPayload(); limit < wire.MaxBody+wire.MaxHeader {
		return fmt.Errorf("the NATS server takes messages of %d bytes only, and a batch may have %d. Set its max_payload to 1 MB, its default",
			limit, wire.MaxBody+wire.MaxHeader)
	}
	var err error
	if b.js, err = jetstream.New(b.conn, jetstream.WithPublishAsyncTimeout(publish.AckTimeout)); err != nil {
		return fmt.Errorf("JetStream: %w", err)
	}
	report, err := b.ensure(ctx)
	if err != nil {
		return err
	}
	if cfg.SizesGiven {
		for _, difference := range report.Differences {
			log.Warn(difference)
		}
	}
	log.Info(report.String())
	return nil
}

func (b *broker) ensure(ctx context.Context) (*topology.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, ensureTimeout)
	defer cancel()
	go func() {
		select {
		case <-b.denied.Done():
			cancel()
		case <-ctx.Done():
		}
	}()
	report, err := topology.Ensure(ctx, b.js, b.config)
	if denied := b.denied.Err(); denied != nil {
		return nil, denied
	}
	if err != nil {
		return nil, err
	}
	b.rows = report.Rows.Config.MaxBytes
	return report, nil
}

// link is what the run works with.
func (b *broker) link(log *slog.Logger) Link {
	service := load.NewService(b.conn)
	service.Denied = b.unheard.Err
	return Link{
		Window:  publish.NewWindow(b.js, b.restore, b.rows, b.denied, log),
		Stream:  commit.NewRowsStream(b.js),
		Service: service,
	}
}

// restore is publish.Restore.
func (b *broker) restore(ctx context.Context) (int64, error) {
	_, err := b.ensure(ctx)
	return b.rows, err
}

// note takes in an error that NATS reports by itself. That of a publish or of
// the inbox can't be had otherwise: the server answers nothing to what it denies.
func (b *broker) note(err error, log *slog.Logger) {
	if !errors.Is(err, nats.ErrPermissionViolation) {
		log.Debug("NATS reports an error", "cause", err)
		return
	}
	for _, needed := range []string{
		`Publish to "` + topology.SubjectRows + `"`,
		`Publish to "` + jetstream.DefaultAPIPrefix + "STREAM.INFO.",
		`Publish to "` + jetstream.DefaultAPIPrefix + "STREAM.CREATE.",
		`Subscription to "` + nats.InboxPrefix,
	} {
		if strings.Contains(err.Error(), needed) {
			b.denied.Come(err)
			return
		}
	}
	if strings.Contains(err.Error(), `Publish to "`+topology.SubjectLoad+`"`) {
		b.unheard.Come(err)
		if b.wait {
			return // an error of whoever waits for the answers
		}
	}
	if _, told := b.told.LoadOrStore(err.Error(), true); !told {
		log.Warn((&publish.DeniedError{Cause: err}).Error())
	}
}
