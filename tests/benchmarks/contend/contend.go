// Package contend holds the contenders, ways to bring the same rows into
// PostgreSQL, measured alike, and what else is measured of the pair: latency,
// the consumer's start, a long load.
package contend

import (
	"context"
	"errors"
	"time"

	"github.com/streamgauge/streamgauge/tests/benchmarks/input"
	"github.com/streamgauge/streamgauge/tests/benchmarks/proc"
	"github.com/streamgauge/streamgauge/tests/benchmarks/result"
	"github.com/streamgauge/streamgauge/tests/benchmarks/stage"
)

// Contender is one way to load the file.
type Contender struct {
	Key, Title string
	// Run loads the file once, into a database of its own, and checks what is
	// there afterwards.
	Run func(context.Context, *Arena) (result.Run, error)
}

// Arena is what all contenders have in common. Close it.
type Arena struct {
	Stage *stage.Stage
	File  *input.File
	// ConsumerArgs are given to each consumer.
	ConsumerArgs []string

	encoded []string // see binaryHalves
}

// Close removes what was made for the contenders.
func (a *Arena) Close() error {
	var err error
	for _, path := range a.encoded {
		err = errors.Join(err, remove(path))
	}
	return err
}

// Keys of the contenders that others are compared with.
const (
	KeyCopyPlain  = "copy-plain"
	KeyPsql       = "psql"
	KeyCopyPrices = "copy-prices"
	KeyTwoPlain   = "copy-plain-2"
	KeyTwoPrices  = "copy-prices-2"
	KeyBinary     = "binary-2"
	KeyPair       = "pair"
	KeyPair100    = "pair-100"
	KeyProducer   = "producer"
)

// All are the contenders, in the order in which they run and are shown.
func All() []Contender {
	return []Contender{
		copyText(KeyCopyPlain, "COPY text, three plain columns", 1, plainTable),
		psqlCopy(KeyPsql, `psql \copy, three plain columns`),
		copyText(KeyCopyPrices, "COPY text into prices", 1, pricesTable),
		copyText(KeyTwoPlain, "COPY text, three plain columns, two connections", 2, plainTable),
		copyText(KeyTwoPrices, "COPY text into prices, two connections", 2, pricesTable),
		copyBinary(KeyBinary, "binary COPY into prices, two connections: the limit"),
		pair(KeyPair, "the pair, batches of 500", Pair{BatchSize: 500, Consumers: 1}),
		pair(KeyPair100, "the pair, batches of 100", Pair{BatchSize: 100, Consumers: 1}),
		pair("pair-5000", "the pair, batches of 5,000", Pair{BatchSize: 5000, Consumers: 1}),
		pair("pair-100x2", "batches of 100, two consumers", Pair{BatchSize: 100, Consumers: 2}),
		pair("pair-500x2", "batches of 500, two consumers", Pair{BatchSize: 500, Consumers: 2}),
		pair("pair-5000x2", "batches of 5,000, two consumers", Pair{BatchSize: 5000, Consumers: 2}),
		pair("pair-sync", "the pair, broker with sync_interval: always", Pair{BatchSize: 500, Consumers: 1, SyncAlways: true}),
		drain("drain", "a consumer alone, emptying a full stream"),
		publish(KeyProducer, "a producer alone, publishing"),
	}
}

// meter measures the CPU time of what a run has in common: the server's
// processes, and this one where it is a client.
type meter struct {
	stage  *stage.Stage
	watch  *proc.Watch
	server time.Duration
	own    time.Duration
}

func newMeter(st *stage.Stage) (*meter, error) {
	m := &meter{stage: st}
	var err error
	if m.server, err = proc.TreeCPU(st.Postgres.PID()); err != nil {
		return nil, err
	}
	if m.own, err = proc.OwnCPU(); err != nil {
		return nil, err
	}
	m.watch = proc.NewWatch()
	m.watch.AddTree(result.Postgres, st.Postgres.PID())
	return m, nil
}

// stop fills in what PostgreSQL cost, and the memory of all that was watched.
// self is whether this process was the client.
func (m *meter) stop(run *result.Run, self bool) (map[string][]proc.Sample, error) {
	server, err := proc.TreeCPU(m.stage.Postgres.PID())
	own, ownErr := proc.OwnCPU()
	if run.CPUSeconds == nil {
		run.CPUSeconds = make(map[string]float64)
	}
	run.CPUSeconds[result.Postgres] = (server - m.server).Seconds()
	if self {
		run.CPUSeconds[result.Client] = (own - m.own).Seconds()
	}
	var samples map[string][]proc.Sample
	run.PeakBytes, samples = m.watch.Stop()
	return samples, errors.Join(err, ownErr)
}
