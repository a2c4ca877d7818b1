package metrics

import (
	"math"
	"strconv"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/streamgauge/streamgauge/shared/stats"
)

// figure is one of the running statistics.
type figure struct {
	description *prometheus.Desc
	of          func(*stats.Snapshot) float64
}

// Every consumer shows the same figures, which are the database's: they are
// gauges, since taking a load back lowers them.
var figures = []figure{
	running("database_revision", "Revision of the statistics that these figures are of.", func(s *stats.Snapshot) float64 { return float64(s.Revision) }),
	running("database_rows", "Rows in the database.", func(s *stats.Snapshot) float64 { return float64(s.Rows) }),
	running("database_prices", "Rows in the database that have a price.", func(s *stats.Snapshot) float64 { return float64(s.Count) }),
	running("database_rejected_records", "Rejected records in the database that nobody has corrected.", func(s *stats.Snapshot) float64 { return float64(s.Rejected) }),
	running("database_dead_batches", "Messages in the database that were set aside whole.", func(s *stats.Snapshot) float64 { return float64(s.Dead) }),
	running("price_mean", "Mean of all prices, NaN where there are none; stats.price has it with all digits.", func(s *stats.Snapshot) float64 { return float(s.Mean) }),
	running("price_min", "Least price, NaN where there are none.", func(s *stats.Snapshot) float64 { return float(s.Min) }),
	running("price_max", "Greatest price, NaN where there are none.", func(s *stats.Snapshot) float64 { return float(s.Max) }),
	running("price_stddev", "Standard deviation of the prices as a sample, NaN below two of them.", func(s *stats.Snapshot) float64 { return float(s.StdDev) }),
}

func running(name, help string, of func(*stats.Snapshot) float64) figure {
	return figure{prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, nil, nil), of}
}

// float rounds to the 15 to 17 digits that Prometheus can hold.
func float(n stats.Number) float64 {
	f, err := strconv.ParseFloat(string(n), 64)
	if err != nil && !math.IsInf(f, 0) {
		return math.NaN()
	}
	return f
}

// statistics collects the figures of the last snapshot; none before the first.
type statistics struct {
	last atomic.Pointer[stats.Snapshot]
}

// Observe tells of a snapshot. It takes what it is told for the truth, also an
// older revision, and does not block.
func (m *Metrics) Observe(s *stats.Snapshot) { m.statistics.last.Store(s) }

// Describe implements prometheus.Collector.
func (*statistics) Describe(descriptions chan<- *prometheus.Desc) {
	for _, f := range figures {
		descriptions <- f.description
	}
}

// Collect implements prometheus.Collector.
func (s *statistics) Collect(found chan<- prometheus.Metric) {
	last := s.last.Load()
	if last == nil {
		return
	}
	for _, f := range figures {
		found <- prometheus.MustNewConstMetric(f.description, prometheus.GaugeValue, f.of(last))
	}
}
