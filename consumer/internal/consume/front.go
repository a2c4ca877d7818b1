package consume

import (
	"context"
	"errors"
	"log/slog"

	"github.com/streamgauge/streamgauge/consumer/internal/metrics"
	"github.com/streamgauge/streamgauge/consumer/internal/page"
	"github.com/streamgauge/streamgauge/consumer/internal/web"
	"github.com/streamgauge/streamgauge/shared/stats"
)

// front is what the consumer shows by HTTP.
type front struct {
	page    *page.Page
	metrics *metrics.Metrics
}

// openFront answers until stop is called: questions about health are answered
// while everything else starts and ends.
func openFront(ctx context.Context, config Config, health *health, logger *slog.Logger) (f *front, stop func(), err error) {
	server, err := web.Listen(ctx, config.HTTP)
	if err != nil {
		return nil, nil, err
	}
	live, err := page.New(config.Version, logger)
	if err != nil {
		return nil, nil, errors.Join(err, server.Close())
	}
	f = &front{page: live, metrics: metrics.New(config.Version, health.notReady, logger)}
	server.Mux().Handle("/", f.page)
	server.Mux().Handle("GET /metrics", f.metrics)
	web.MountHealth(server.Mux(), health.notReady)
	return f, serveHTTP(ctx, server, logger), nil
}

// observe tells the front of a snapshot; see announce.Announcer.Observe.
func (f *front) observe(s *stats.Snapshot) {
	f.page.Observe(s)
	f.metrics.Observe(s)
}

// serveHTTP serves until stop is called.
func serveHTTP(ctx context.Context, server *web.Server, logger *slog.Logger) (stop func()) {
	note := ""
	if server.Open() {
		note = ", without authentication: open to whoever reaches this machine"
	}
	logger.Info("live page: " + server.URL() + note)
	serving, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := server.Serve(serving, logger); err != nil {
			logger.Error("no longer answering on --http; the rest goes on", "error", err)
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}
