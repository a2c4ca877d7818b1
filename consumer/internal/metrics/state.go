package metrics

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/streamgauge/streamgauge/consumer/internal/watchdog"
)

// askWithin bounds what a scrape waits for the queue: a tenth of what Prometheus
// gives it by default.
const askWithin = time.Second

// Backlog is what the stream of batches holds that is not acknowledged.
type Backlog struct {
	Messages, Bytes uint64
	// Limit is in bytes, 0 where there is none.
	Limit uint64
	// Oldest is for how long its first message has been there.
	Oldest time.Duration
}

// Queue is the stream of batches. It is asked at each scrape, and may answer
// with what it was told shortly before.
type Queue interface {
	Backlog(ctx context.Context) (Backlog, error)
}

// Intake is what holds messages; see intake.Intake.
type Intake interface {
	InHand() (messages, bytes int)
	Redelivered() uint64
}

// Watchdog is what looks after the consumer; see watchdog.Watchdog.
type Watchdog interface {
	State() watchdog.State
}

// Sources is what is asked at each scrape.
type Sources struct {
	Queue    Queue
	Intake   Intake
	Watchdog Watchdog
}

// state collects what is so at the moment of a scrape. Before there are sources
// it only knows whether the consumer is ready.
type state struct {
	notReady func() string
	sources  atomic.Pointer[Sources]
}

// Follow has sources asked from now on. It is called once the consumer is
// connected.
func (m *Metrics) Follow(sources Sources) { m.state.sources.Store(&sources) }

func description(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
}

var (
	ready      = description("ready", "1 while the consumer does its work, 0 while /readyz says why it does not.")
	dependency = description("dependency_up", "1 where the dependency answered when the watchdog last looked, as it does every second, else 0.", "dependency")
	stall      = description("stall_seconds", "For how long messages have waited and none was fetched or committed; 0 where work goes on, there is none, or a dependency does not answer.")

	inHand      = description("messages_in_hand", "Messages that this process has taken and not acknowledged.")
	inHandBytes = description("messages_in_hand_bytes", "Memory of the messages in hand.")
	redelivered = description("redeliveries_total", "Messages this process has taken that had been delivered before, to it or to another.")

	queued      = description("stream_messages", "Messages in the stream of batches: all that is not acknowledged, also those in hand.")
	queuedBytes = description("stream_bytes", "Size of the stream of batches.")
	queueLimit  = description("stream_limit_bytes", "Size at which the stream of batches takes no more and producers wait.")
	oldest      = description("stream_oldest_message_age_seconds", "For how long the first message has been in the stream of batches; 0 where it is empty.")
)

// Describe implements prometheus.Collector.
func (*state) Describe(descriptions chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		ready, dependency, stall, inHand, inHandBytes, redelivered, queued, queuedBytes, queueLimit, oldest,
	} {
		descriptions <- d
	}
}

// Collect implements prometheus.Collector. What can't be known is left out.
func (s *state) Collect(found chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		found <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	gauge(ready, truth(s.notReady() == ""))
	sources := s.sources.Load()
	if sources == nil {
		return
	}
	looked := sources.Watchdog.State()
	gauge(dependency, truth(looked.PostgreSQL), "postgresql")
	gauge(dependency, truth(looked.NATS), "nats")
	gauge(stall, looked.Stalled.Seconds())

	messages, bytes := sources.Intake.InHand()
	gauge(inHand, float64(messages))
	gauge(inHandBytes, float64(bytes))
	found <- prometheus.MustNewConstMetric(redelivered, prometheus.CounterValue, float64(sources.Intake.Redelivered()))

	ctx, cancel := context.WithTimeout(context.Background(), askWithin)
	defer cancel()
	backlog, err := sources.Queue.Backlog(ctx)
	if err != nil {
		return // dependency_up says so
	}
	gauge(queued, float64(backlog.Messages))
	gauge(queuedBytes, float64(backlog.Bytes))
	gauge(oldest, backlog.Oldest.Seconds())
	if backlog.Limit > 0 {
		gauge(queueLimit, float64(backlog.Limit))
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
