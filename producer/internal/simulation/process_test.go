package simulation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/streamgauge/streamgauge/producer/internal/deliver"
	"github.com/streamgauge/streamgauge/producer/internal/load"
	"github.com/streamgauge/streamgauge/producer/internal/publish"
	"github.com/streamgauge/streamgauge/producer/internal/report"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// process is one life of a producer, between its start and its end. The world's
// mutex guards its members, but for those that never change.
type process struct {
	*world
	dice

	producer, life int
	batchSize      int
	wait           bool
	end            context.CancelFunc // SIGINT
	denied         func() error       // load.Service.Denied

	dead    bool // killed
	offline bool // its connection to NATS is gone
	knows   *wire.Plan
	acked   map[batchKey]*message // what the last PubAck of a batch was for
	late    map[batchKey]int      // how often a batch was sent once all was calm
	sent    map[batchKey]int
}

// batchKey is a batch under one of the ways to cut the file.
type batchKey struct {
	size   int
	number int64
}

func keyOf(b *wire.Batch) batchKey { return batchKey{b.Plan.BatchSize, b.Number} }

func newProcess(w *world, producer, life, batchSize int, wait bool) *process {
	return &process{
		world: w, dice: w.roll(uint64(1 + 1000*producer + life)), producer: producer, life: life, batchSize: batchSize, wait: wait,
		acked: make(map[batchKey]*message), late: make(map[batchKey]int), sent: make(map[batchKey]int),
	}
}

func (p *process) String() string { return fmt.Sprintf("producer %d.%d", p.producer, p.life) }

func (p *process) connected() bool { return !p.dead && !p.offline && !p.broker.down }

// kill is SIGKILL: nothing that the process does has an effect any more.
func (p *process) kill() {
	if p.dead || p.end == nil {
		return
	}
	p.dead = true
	p.end() // before anything fails, which would otherwise be tried again
	p.broker.disconnect(p)
}

// outcome is what the process's end tells.
type outcome struct {
	code int
	file report.File
	err  error
}

// The exit codes of the program, of which its main decides.
const (
	exitDone        = 0
	exitFailed      = 1
	exitIncomplete  = 3
	exitInterrupted = 130
)

// run loads the file, as the program does.
func (p *process) run(ctx context.Context) outcome {
	logger := slog.New(slog.DiscardHandler)
	window := publish.NewWindow(p, p.restore, limit, publish.NewDenial(), logger)
	window.Jitter = p.jitter
	service := load.NewService(p)
	service.Denied = p.denied
	var out bytes.Buffer
	err := deliver.Over(ctx, deliver.Config{
		Inputs: []string{p.consumers.file.path}, BatchSize: p.batchSize, Wait: p.wait, Out: &out, JSON: true,
	}, deliver.Link{Window: window, Stream: p, Service: service}, logger)
	o := outcome{code: exitFailed, err: err}
	if line, jsonErr := out.ReadBytes('\n'); jsonErr == nil {
		if jsonErr := json.Unmarshal(line, &o.file); jsonErr != nil {
			o.err = errors.Join(err, jsonErr)
		}
	}
	var stopped *deliver.StoppedError
	switch {
	case err == nil:
		o.code = exitDone
	case errors.Is(err, deliver.ErrIncomplete):
		o.code = exitIncomplete
	case errors.As(err, &stopped), errors.Is(err, context.Canceled):
		o.code = exitInterrupted
	}
	return o
}

func (p *process) jitter(most time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.between(0, most)
}

// checkPublished holds a batch that is sent to what the process knows.
func (p *process) checkPublished(b *wire.Batch) {
	k := keyOf(b)
	p.notef("%s: publishes batch %d of %d", p, b.Number, b.Batches)
	p.sent[k]++
	if p.knows != nil && *p.knows != b.Plan {
		p.brokenf("%s sends batch %d of size %d, and was told that it is loaded in batches of %d", p, b.Number, b.Plan.BatchSize, p.knows.BatchSize)
	}
	if m := p.acked[k]; m != nil && !m.harmed && !m.died {
		p.brokenf("%s sends batch %d again, which was acknowledged and never lost", p, b.Number)
	}
	if time.Now().Before(p.calm.Add(settled)) {
		return
	}
	p.late[k]++
	most := 1
	if p.consumers.deaths[b.Number] > 0 {
		most = attempts
	}
	if p.late[k] > most {
		p.brokenf("%s sends batch %d for the %dth time after the last fault", p, b.Number, p.late[k])
	}
}

// attempts is how often a batch that is set aside may be sent.
const attempts = 3

// settled is how long after calm what was under way then has ended.
const settled = 5 * time.Millisecond
