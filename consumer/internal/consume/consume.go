// Package consume runs the consumer: it wires intake, pipeline, announcements
// and answers together, and ends them in the right order.
package consume

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"github.com/streamgauge/streamgauge/consumer/internal/announce"
	"github.com/streamgauge/streamgauge/consumer/internal/answer"
	"github.com/streamgauge/streamgauge/consumer/internal/intake"
	"github.com/streamgauge/streamgauge/consumer/internal/metrics"
	"github.com/streamgauge/streamgauge/consumer/internal/page"
	"github.com/streamgauge/streamgauge/consumer/internal/pipeline"
	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/consumer/internal/watchdog"
	"github.com/streamgauge/streamgauge/consumer/internal/web"
	"github.com/streamgauge/streamgauge/migrations"
	"github.com/streamgauge/streamgauge/shared/stats"
	"github.com/streamgauge/streamgauge/shared/topology"
)

// connections is how many sessions the consumer opens at most, besides the
// watchdog's: one for each writer, one that frees them from what blocks them, one
// for questions.
const connections = pipeline.Writers + 2

const (
	// endWithin is what everything gets after a stop: the transactions in hand,
	// and a moment to say what came of them.
	endWithin = finishWithin + 500*time.Millisecond
	// closeWithin is what the sessions get to end. Closing one that a server does
	// not answer takes pgx many seconds, and the process's end does the same.
	closeWithin = 300 * time.Millisecond
	// flushWithin is what the last acknowledgements get to leave.
	flushWithin = 500 * time.Millisecond
)

// Config of Run.
type Config struct {
	Server      topology.Server
	DatabaseURL string
	Topology    topology.Config
	// BatchesPerCommit is the most messages merged into one transaction.
	BatchesPerCommit int
	// Migrate brings the schema up to date first; else an older one is an error.
	Migrate bool
	// HTTP is the address that the live page is served on; empty is none.
	HTTP string
	// Version is what the micro service says of itself; 0.0.0 where it is not semantic.
	Version string
}

// Validate reports what can't work, before anything is connected.
func (c Config) Validate() error {
	if c.BatchesPerCommit < 1 {
		return errors.New("--batches-per-commit must be at least 1")
	}
	if err := c.Topology.Validate(); err != nil {
		return err
	}
	if c.HTTP != "" {
		if err := web.Validate(c.HTTP); err != nil {
			return err
		}
	}
	return c.Server.Validate()
}

// Run consumes until ctx is over, then finishes the transactions in hand and
// returns nil. Once it has connected, no outage ends it.
func Run(ctx context.Context, config Config, logger *slog.Logger) error {
	health := newHealth()
	var shown *front // nil where nobody asks
	if config.HTTP != "" {
		f, stop, err := openFront(ctx, config, health, logger)
		if err != nil {
			return err
		}
		defer stop()
		shown = f
	}
	pool, err := store.Connect(ctx, config.DatabaseURL, connections)
	if err != nil {
		return err
	}
	defer closePool(pool)
	if err := prepareSchema(ctx, pool, config.Migrate, logger); err != nil {
		return err
	}
	nc, err := connect(ctx, config.Server, logger)
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	report, err := ensure(ctx, js, config.Topology)
	if err != nil {
		return err
	}
	logger.Info(fmt.Sprintf("NATS %s, %s", nc.ConnectedServerVersion(), report))
	for _, difference := range report.Differences {
		logger.Info("left as it stands: " + difference)
	}
	return serve(ctx, nc, js, store.New(pool, logger), shown, health, config, logger)
}

// connect gives up with ctx, which nats.go does not: a server that accepts and
// says nothing would keep a stop waiting.
func connect(ctx context.Context, server topology.Server, logger *slog.Logger) (*nats.Conn, error) {
	type connection struct {
		nc  *nats.Conn
		err error
	}
	connected := make(chan connection)
	go func() {
		nc, err := topology.Connect(server, "streamgauge consumer", connectionEvents(logger)...)
		select {
		case connected <- connection{nc, err}:
		case <-ctx.Done():
			if nc != nil {
				nc.Close()
			}
		}
	}()
	select {
	case c := <-connected:
		return c.nc, c.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func closePool(pool *pgxpool.Pool) {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		pool.Close()
	}()
	select {
	case <-closed:
	case <-time.After(closeWithin):
	}
}

func serve(ctx context.Context, nc *nats.Conn, js jetstream.JetStream, database *store.Store, shown *front, health *health, config Config, logger *slog.Logger) error {
	again := func(ctx context.Context) error {
		_, err := ensure(ctx, js, config.Topology)
		return err
	}
	activity := new(pipeline.Activity)
	in := intake.New(intake.Over(nc), again, logger)
	announcer := announce.New(nc, js, database, again, logger)
	breakdown := announce.NewBreakdown(nc, js, database, again, logger)
	running, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	stopAnswers, err := answer.Serve(running, nc, database, config.Version, logger)
	if err != nil {
		return err
	}
	sentry, err := store.NewSentry(ctx, config.DatabaseURL, database)
	if err != nil {
		return err
	}
	defer closePool(sentry.Pool())
	dog := watchdog.New(sentry, &broker{nc: nc, js: js, logger: logger}, worker{in, activity}, logger)
	flow := Flow{
		Intake: in, Database: database, Logger: logger,
		Pipeline: pipeline.Config{
			BatchesPerCommit: config.BatchesPerCommit,
			Announce:         announcer.Commit,
			Activity:         activity,
		},
		Announcers: []func(context.Context) error{announcer.Run, breakdown.Run},
		Beside:     []func(context.Context) error{dog.Run},
	}
	announcer.Observe(breakdown.Observe)
	if shown != nil {
		announcer.Observe(func(s *stats.Snapshot) {
			breakdown.Observe(s)
			shown.observe(s)
		})
		asked := &queue{js: js}
		flow.Pipeline.Meter = shown.metrics
		flow.Beside = append(flow.Beside, func(taking context.Context) error {
			shown.page.Run(taking, page.Sources{Database: database, Queue: shownQueue{asked}, Distribution: prices{database}})
			return nil
		})
		shown.metrics.Follow(metrics.Sources{Queue: measuredQueue{asked}, Intake: in, Watchdog: dog})
	}
	health.follow(dog.NotReady)
	group, taking := flow.Start(running, ctx)
	context.AfterFunc(taking, func() { health.set("stopping") })
	logger.Info("ready")
	err = await(taking, group)
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		// The time to finish was over: what was not committed comes again.
		logger.Warn("stopped before the transactions in hand were finished: their messages will be delivered again")
		err = nil
	}
	end()
	if e := stopAnswers(); e != nil {
		logger.Debug("the micro service did not stop cleanly", "error", e)
	}
	if e := nc.FlushTimeout(flushWithin); e != nil {
		logger.Debug("the last acknowledgements may be lost: their messages will come again, and change nothing", "error", e)
	}
	return err
}

// await waits for the group. Once taking is over, one that hangs is left behind.
func await(taking context.Context, group *errgroup.Group) error {
	ended := make(chan error, 1)
	go func() { ended <- group.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-taking.Done():
	}
	select {
	case err := <-ended:
		return err
	case <-time.After(endWithin):
		return context.Cause(taking)
	}
}

func ensure(ctx context.Context, js jetstream.JetStream, config topology.Config) (*topology.Report, error) {
	report, err := topology.Ensure(ctx, js, config)
	if err != nil {
		return nil, err
	}
	return report, topology.EnsureWriter(ctx, js)
}

func prepareSchema(ctx context.Context, pool *pgxpool.Pool, migrate bool, logger *slog.Logger) error {
	db := stdlib.OpenDBFromPool(pool)
	defer db.Close()
	if !migrate {
		missing, err := migrations.Check(ctx, db)
		if err == nil && len(missing) > 0 {
			return &SchemaError{Missing: len(missing)}
		}
		return explained(err)
	}
	applied, err := migrations.Up(ctx, db, slog.New(slog.DiscardHandler))
	if err == nil && applied > 0 {
		logger.Info("schema brought up to date", "migrations", applied)
	}
	return explained(err)
}

// explained gives what PostgreSQL says its remedy.
func explained(err error) error {
	if err == nil {
		return nil
	}
	return store.Remedy(err)
}

func connectionEvents(logger *slog.Logger) []nats.Option {
	return []nats.Option{
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				logger.Warn("lost the connection to NATS, reconnecting", "error", err)
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) {
			logger.Info("reconnected to NATS", "server", nc.ConnectedUrlRedacted())
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			logger.Warn("NATS reports an error", "error", err)
		}),
	}
}
