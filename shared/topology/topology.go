// Package topology is what the pair keeps in NATS: the streams, their subjects,
// the durable consumer, the subjects of the micro service, and how to connect.
// Either side creates what is missing.
package topology

import (
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Streams, subjects and the durable consumer.
const (
	StreamRows   = "ROWS"
	StreamStats  = "STATS"
	SubjectsRows = "rows.>"
	SubjectRows  = "rows.price"
	// SubjectsStats has one message kept for each subject under it.
	SubjectsStats = "stats.>"
	SubjectStats  = "stats.price"
	// SubjectsGroups are those below it that SubjectGroup gives.
	SubjectsGroups = SubjectStats + ".>"
	// Durable is the pull consumer that all consumer processes share.
	Durable = "price-writer"

	// ServiceName is the micro service's name. Its subjects stand outside those
	// of the streams: a stream would answer a request with its own PubAck.
	ServiceName     = "streamgauge"
	SubjectSnapshot = "streamgauge.snapshot"
	SubjectLoad     = "streamgauge.load"
)

// AnswerTimeout is the longest that a consumer works on one answer.
const AnswerTimeout = 5 * time.Second

// SubjectGroup is where the statistics of a part of the rows are published, such as
// stats.price.day.2012-01-10. A point would make two tokens of a key: it is %2E.
func SubjectGroup(by, key string) string {
	return SubjectStats + "." + by + "." + strings.ReplaceAll(key, ".", "%2E")
}

// Sizes of ROWS, in bytes: what it has when nothing else is asked for, and the
// least, which holds a batch as large as one may be.
const (
	DefaultMaxBytes = 1 << 30
	MinMaxBytes     = 1 << 20
)

// Timing of the durable consumer.
const (
	// AckWait is how long the server waits before it delivers a message again.
	AckWait = 6 * time.Second
	// InProgressEvery is how often a message in hand is kept from that: three
	// times within AckWait, so that one late report costs nothing.
	InProgressEvery = 2 * time.Second
	// MaxAckPending is how many messages may be in hand, over all processes.
	MaxAckPending = 1024
)

// Config is what may differ from one installation to the next. It counts only
// when a stream is created; Ensure reports what stands instead.
type Config struct {
	// MaxBytes is the size of ROWS; zero means DefaultMaxBytes.
	MaxBytes int64
	// Replicas of each stream, 1, 3 or 5; zero means 1.
	Replicas int
}

// Validate reports sizes that no stream can have.
func (c Config) Validate() error {
	switch {
	case c.MaxBytes != 0 && c.MaxBytes < MinMaxBytes:
		return fmt.Errorf("--max-bytes has to hold one batch at least, %d bytes, not %d", MinMaxBytes, c.MaxBytes)
	case c.Replicas < 0 || c.Replicas > 5 || c.Replicas != 0 && c.Replicas%2 == 0:
		return fmt.Errorf("--replicas is 1, 3 or 5, not %d", c.Replicas)
	}
	return nil
}

func (c Config) withDefaults() Config {
	if c.MaxBytes == 0 {
		c.MaxBytes = DefaultMaxBytes
	}
	if c.Replicas == 0 {
		c.Replicas = 1
	}
	return c
}

// Rows returns the stream of batches: a work queue that refuses new messages
// when it is full and drops none.
func (c Config) Rows() jetstream.StreamConfig {
	c = c.withDefaults()
	return jetstream.StreamConfig{
		Name:        StreamRows,
		Description: "streamgauge: batches of CSV records on their way to PostgreSQL",
		Subjects:    []string{SubjectsRows},
		Retention:   jetstream.WorkQueuePolicy,
		Storage:     jetstream.FileStorage,
		Discard:     jetstream.DiscardNew,
		MaxBytes:    c.MaxBytes,
		Replicas:    c.Replicas,
	}
}

// Stats returns the stream that keeps the last snapshot of each subject for
// whoever joins late.
func (c Config) Stats() jetstream.StreamConfig {
	c = c.withDefaults()
	return jetstream.StreamConfig{
		Name:              StreamStats,
		Description:       "streamgauge: the last statistics of each subject",
		Subjects:          []string{SubjectsStats},
		Retention:         jetstream.LimitsPolicy,
		Storage:           jetstream.FileStorage,
		Discard:           jetstream.DiscardOld,
		MaxMsgsPerSubject: 1,
		MaxBytes:          16 << 20,
		Replicas:          c.Replicas,
	}
}

// Writer returns the durable pull consumer on ROWS.
func Writer() jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{
		Durable:       Durable,
		Description:   "streamgauge: batches being written to PostgreSQL",
		FilterSubject: SubjectsRows,
		DeliverPolicy: jetstream.DeliverAllPolicy,
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       AckWait,
		MaxDeliver:    -1,
		MaxAckPending: MaxAckPending,
	}
}
