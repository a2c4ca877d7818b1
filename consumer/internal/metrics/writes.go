package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/streamgauge/streamgauge/consumer/internal/store"
)

// buckets are upper bounds in seconds: a transaction of one row takes
// milliseconds, one of 50,000 rows some tenths of a second, and after 3 s a
// lock is given up.
var buckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// outcomes are the label values of what may become of a batch.
var outcomes = map[store.Outcome]string{
	store.Stored: "stored", store.AlreadyStored: "already_stored",
	store.Superseded: "superseded", store.Refused: "refused", store.Retired: "retired",
}

// classes are the label values of what may keep a transaction from taking effect.
var classes = map[store.Class]string{store.Retry: "retry", store.Poison: "poison", store.Fatal: "fatal"}

// writes counts what this process has written. It is a pipeline.Meter: no call
// takes a lock, and each costs the same whatever the rows are.
type writes struct {
	rows, rejects, dead prometheus.Counter
	batches             map[store.Outcome]prometheus.Counter
	failures            map[store.Class]prometheus.Counter
	duration            prometheus.Histogram
	last                prometheus.Gauge
}

func newWrites(registry prometheus.Registerer) writes {
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help})
		registry.MustRegister(c)
		return c
	}
	w := writes{
		rows:     counter("rows_stored_total", "Rows that this process has stored."),
		rejects:  counter("records_rejected_total", "Records that this process has set aside with their reason."),
		dead:     counter("dead_batches_total", "Messages that this process has set aside whole."),
		batches:  make(map[store.Outcome]prometheus.Counter),
		failures: make(map[store.Class]prometheus.Counter),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Name: "commit_duration_seconds", Buckets: buckets,
			Help: "How long the transactions took that were committed, from asking for a session on.",
		}),
		last: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: namespace, Name: "last_commit_timestamp_seconds",
			Help: "When this process last committed, in seconds since 1970; 0 before its first commit.",
		}),
	}
	batches := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "batches_total",
		Help: "Batches that this process has acknowledged, by what became of them; only those stored had an effect.",
	}, []string{"outcome"})
	failures := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "write_failures_total",
		Help: "Transactions that failed, by class: retry (tried again), poison (looked for message by message), fatal (ended the process).",
	}, []string{"class"})
	registry.MustRegister(batches, failures, w.duration, w.last)
	for outcome, label := range outcomes {
		w.batches[outcome] = batches.WithLabelValues(label)
	}
	for class, label := range classes {
		w.failures[class] = failures.WithLabelValues(label)
	}
	return w
}

// Committed implements pipeline.Meter.
func (w *writes) Committed(batches []*store.Batch, result *store.Result, took time.Duration) {
	var rows, rejects int64
	for i, b := range batches {
		w.batches[result.Outcomes[i]].Inc()
		if result.Outcomes[i] == store.Stored {
			rows += b.Tally.Rows
			rejects += int64(len(b.Rejects))
		}
	}
	w.rows.Add(float64(rows))
	w.rejects.Add(float64(rejects))
	w.dead.Add(float64(result.Dead))
	w.duration.Observe(took.Seconds())
	w.last.SetToCurrentTime()
}

// Failed implements pipeline.Meter.
func (w *writes) Failed(class store.Class) { w.failures[class].Inc() }
