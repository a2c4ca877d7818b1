package contend

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/streamgauge/streamgauge/shared/topology"
	"github.com/streamgauge/streamgauge/tests/benchmarks/result"
)

// publishBatch is the producer's own batch size, so that it need not be asked for.
const publishBatch = 500

// publish measures the time between the first and the last message that the
// stream stores. The whole process, which first reads the file once to know it,
// is measured beside it. The question what is already loaded is answered as by
// a consumer with an empty database: without an answer the producer waits two
// seconds for one.
func publish(key, title string) Contender {
	return Contender{key, title, func(ctx context.Context, a *Arena) (run result.Run, err error) {
		l, err := a.lane(ctx, false)
		if err != nil {
			return run, err
		}
		defer func() { err = errors.Join(err, l.close()) }()
		_, err = l.broker.Conn.Subscribe(topology.SubjectLoad, func(msg *nats.Msg) { _ = msg.Respond([]byte("{}")) })
		if err != nil {
			return run, err
		}
		if err := l.broker.Conn.Flush(); err != nil {
			return run, err
		}
		if err := l.begin(); err != nil {
			return run, err
		}
		began := time.Now()
		producer, err := l.startProducer(a.File.Path)
		if err != nil {
			return run, err
		}
		if err := producer.Wait(); err != nil {
			return run, err
		}
		run.Rows, run.ProcessSeconds = a.File.Sums.Rows, time.Since(began).Seconds()
		stream, err := l.broker.JS.Stream(ctx, topology.StreamRows)
		if err != nil {
			return run, err
		}
		state := stream.CachedInfo().State
		batches := (run.Rows + publishBatch - 1) / publishBatch
		if int64(state.Msgs) != batches {
			return run, fmt.Errorf("the stream holds %d messages, not %d", state.Msgs, batches)
		}
		// The first message stands at the beginning of the time, not within it.
		between := state.LastTime.Sub(state.FirstTime).Seconds()
		run.Seconds = between * float64(run.Rows) / float64(run.Rows-publishBatch)
		_, err = l.end(&run, producer)
		return run, err
	}}
}
