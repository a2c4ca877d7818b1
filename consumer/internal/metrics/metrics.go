// Package metrics tells Prometheus what the consumer does: which figures, under
// which names. Names, labels and help texts are an interface: alert rules and
// dashboards stand on them. No label holds anything that comes from a file.
package metrics

import (
	"log/slog"
	"net/http"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/streamgauge/streamgauge/consumer/internal/web"
)

// namespace begins the name of every metric that is the consumer's own.
const namespace = "streamgauge"

// Metrics is an http.Handler that answers in Prometheus' formats, in every
// state of the consumer. It is safe for concurrent use.
type Metrics struct {
	writes

	statistics statistics
	state      *state
	handler    http.Handler
}

// New returns Metrics that know of nothing but the process. notReady is why the
// consumer does not do its work, empty when it does.
func New(version string, notReady func() string, logger *slog.Logger) *Metrics {
	registry := prometheus.NewRegistry()
	m := &Metrics{state: &state{notReady: notReady}}
	m.writes = newWrites(registry)
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "1, with the consumer's version and that of Go it was built with.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()},
	})
	build.Set(1)
	registry.MustRegister(build, &m.statistics, m.state,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.handler = promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		// One figure that can't be had does not take the others away.
		ErrorHandling: promhttp.ContinueOnError,
		ErrorLog:      slog.NewLogLogger(logger.Handler(), slog.LevelError),
	})
	return m
}

// ServeHTTP implements http.Handler.
func (m *Metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if reason := web.Refuse(r); reason != "" {
		http.Error(w, reason, http.StatusForbidden)
		return
	}
	m.handler.ServeHTTP(w, r)
}
