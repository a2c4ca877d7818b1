package contend

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/streamgauge/streamgauge/shared/record"
	"github.com/streamgauge/streamgauge/shared/stats"
	"github.com/streamgauge/streamgauge/shared/topology"
	"github.com/streamgauge/streamgauge/shared/wire"
	"github.com/streamgauge/streamgauge/tests/benchmarks/exact"
	"github.com/streamgauge/streamgauge/tests/benchmarks/input"
	"github.com/streamgauge/streamgauge/tests/benchmarks/machine"
	"github.com/streamgauge/streamgauge/tests/benchmarks/result"
)

// Steady is a flow of batches at even intervals.
type Steady struct {
	Title         string
	RowsPerSecond int
	BatchSize     int
	For           time.Duration
	// Drop is how long from the beginning nothing counts.
	Drop time.Duration
}

// lastAnnounced is how long the last snapshot may take.
const lastAnnounced = 30 * time.Second

// Latency measures the time from each batch's publish to the first snapshot
// that counts as many rows as were published with it. The producer reads files
// as fast as it can, so that here the benchmark publishes, by the same wire
// format. Batches are sent when it is their time, whatever became of those
// before.
func (a *Arena) Latency(ctx context.Context, flow Steady) (found result.Latency, err error) {
	interval := time.Duration(flow.BatchSize) * time.Second / time.Duration(flow.RowsPerSecond)
	batches := int(flow.For / interval)
	file, err := input.Make(ctx, a.Stage.Dir, int64(batches*flow.BatchSize))
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, file.Remove()) }()
	messages, err := messages(file, flow.BatchSize)
	if err != nil {
		return found, err
	}
	found = result.Latency{
		Title: flow.Title, RowsPerSecond: flow.RowsPerSecond, BatchSize: flow.BatchSize,
		Seconds: flow.For.Seconds(), Dropped: flow.Drop.Seconds(),
	}
	l, err := a.lane(ctx, false)
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	if err := l.startConsumer(ctx); err != nil {
		return found, err
	}
	if found.Fsync, err = machine.Fsync(ctx, a.Stage.Dir); err != nil {
		return found, err
	}
	js, err := jetstream.New(l.broker.Conn, jetstream.WithPublishAsyncMaxPending(len(messages)))
	if err != nil {
		return found, err
	}
	w := &stopwatch{perBatch: int64(flow.BatchSize), published: make([]atomic.Int64, len(messages)), done: make(chan struct{})}
	w.began = time.Now()
	if _, err := l.broker.Conn.Subscribe(topology.SubjectStats, w.hear); err != nil {
		return found, err
	}
	if err := l.broker.Conn.Flush(); err != nil {
		return found, err
	}
	late, err := w.publish(ctx, js, messages, interval)
	if err != nil {
		return found, err
	}
	timer := time.NewTimer(lastAnnounced)
	defer timer.Stop()
	select {
	case <-w.done:
	case <-timer.C:
		return found, fmt.Errorf("the last snapshot did not come within %s", lastAnnounced)
	case <-l.consumers[0].Ended():
		return found, l.consumers[0].Unexpected()
	case <-ctx.Done():
		return found, ctx.Err()
	}
	dropped := int(flow.Drop / interval)
	found.PublishToAnnounce, found.Late = result.TimesOf(w.taken[dropped:]), float64(late.Microseconds())/1000
	if err := exact.Drained(ctx, l.broker); err != nil {
		return found, err
	}
	return found, exact.Loaded(ctx, a.Stage, l.db, file.Sums)
}

// stopwatch holds when batches were published and how long each took.
type stopwatch struct {
	perBatch  int64
	began     time.Time
	published []atomic.Int64 // nanoseconds since began
	taken     []time.Duration
	done      chan struct{}
}

func (w *stopwatch) publish(ctx context.Context, js jetstream.JetStream, messages []*nats.Msg, interval time.Duration) (late time.Duration, err error) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	first := time.Now().Add(interval)
	for i, msg := range messages {
		due := first.Add(time.Duration(i) * interval)
		timer.Reset(time.Until(due))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
		now := time.Now()
		late = max(late, now.Sub(due))
		w.published[i].Store(int64(now.Sub(w.began)))
		if _, err := js.PublishMsgAsync(msg); err != nil {
			return 0, err
		}
	}
	return late, nil
}

// hear is called by one goroutine. Two batches in a row may be committed the
// other way round; counting rows then exchanges their times.
func (w *stopwatch) hear(msg *nats.Msg) {
	now := time.Since(w.began)
	s, err := stats.Decode(msg.Data)
	if err != nil {
		return // the last snapshot will be missed, and that told
	}
	for len(w.taken) < len(w.published) && s.Rows >= int64(len(w.taken)+1)*w.perBatch {
		w.taken = append(w.taken, now-time.Duration(w.published[len(w.taken)].Load()))
		if len(w.taken) == len(w.published) {
			close(w.done)
		}
	}
}

// messages cuts a file into batches of so many records, a line each.
func messages(file *input.File, size int) ([]*nats.Msg, error) {
	content, err := os.ReadFile(file.Path)
	if err != nil {
		return nil, err
	}
	batch := wire.Batch{
		Source: wire.SourceID(sha256.Sum256(content), ""), Name: file.Name, Size: file.Size,
		Batches: file.Sums.Rows / int64(size), Records: size,
		Plan: wire.Plan{
			Format:    record.Format{Delimiter: ",", Fields: 3, Timestamp: 0, Price: 1, UserID: 2},
			BatchSize: size,
		},
	}
	rest := content[file.Data:]
	var all []*nats.Msg
	for n := range batch.Batches {
		end := 0
		for range size {
			if line := bytes.IndexByte(rest[end:], '\n'); line >= 0 {
				end += line + 1
			} else {
				end = len(rest) // the last line has no end
			}
		}
		batch.Number, batch.FirstLine, batch.Body = n+1, 2+n*int64(size), rest[:end]
		rest = rest[end:]
		header, err := batch.Encode()
		if err != nil {
			return nil, err
		}
		all = append(all, &nats.Msg{Subject: topology.SubjectRows, Header: header, Data: batch.Body})
	}
	return all, nil
}
