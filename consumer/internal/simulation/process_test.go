package simulation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/streamgauge/streamgauge/consumer/internal/announce"
	"github.com/streamgauge/streamgauge/consumer/internal/consume"
	"github.com/streamgauge/streamgauge/consumer/internal/intake"
	"github.com/streamgauge/streamgauge/consumer/internal/pipeline"
)

// process is one life of a consumer, between two kills. The world's mutex
// guards its members, but for those that never change.
type process struct {
	*world
	consumer, life int
	killed         chan struct{}
	stats          *subject

	dead          bool
	thaws         time.Time
	offline, cut  bool // the connection to NATS is gone; nothing gets through it
	inboxes       int
	subscriptions map[string]chan *nats.Msg
	answers       map[string]uint64
	calls         map[uint64]uint64 // how often each was made
	terminate     context.CancelFunc
}

var (
	errKilled = errors.New("the process was killed")
	errLink   = errors.New("nats: outbound buffer limit exceeded")
)

func newProcess(w *world, consumer, life int) *process {
	p := &process{
		world: w, consumer: consumer, life: life, killed: make(chan struct{}),
		subscriptions: make(map[string]chan *nats.Msg), answers: make(map[string]uint64), calls: make(map[uint64]uint64),
	}
	p.stats = &subject{process: p}
	return p
}

func (p *process) String() string { return fmt.Sprintf("consumer %d.%d", p.consumer, p.life) }

func (p *process) frozen() bool { return time.Now().Before(p.thaws) }

func (p *process) reachable() bool { return !p.dead && !p.offline && !p.cut }

func (p *process) connected() error {
	if p.offline || p.broker.down {
		return errLink
	}
	return nil
}

// awake holds up a process that is frozen, and ends what one does that is dead.
func (p *process) awake() error {
	for {
		p.mu.Lock()
		dead, thaws := p.dead, time.Until(p.thaws)
		p.mu.Unlock()
		if dead {
			return errKilled
		}
		if thaws <= 0 {
			return nil
		}
		timer := time.NewTimer(thaws)
		select {
		case <-timer.C:
		case <-p.killed:
		}
		timer.Stop()
	}
}

// call is the way to a server and back.
func (p *process) call(ctx context.Context, what uint64) error {
	if err := p.awake(); err != nil {
		return err
	}
	p.mu.Lock()
	p.calls[what]++
	about := []uint64{what, uint64(p.consumer), uint64(p.life), p.calls[what]}
	wait := p.latency(p.fault(about...), about...)
	p.mu.Unlock()
	return p.pause(ctx, wait)
}

func (p *process) pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return p.awake()
	case <-p.killed:
		return errKilled
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ensure makes the stream anew where it is missing.
func (p *process) ensure(ctx context.Context) error {
	if err := p.call(ctx, aboutEnsure); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.connected(); err != nil {
		return err
	}
	if p.broker.missing {
		p.notef("%s: makes the stream anew", p)
		p.broker.missing = false
	}
	return nil
}

// run is the consumer's flow, from its start to its end.
func (p *process) run(stop context.Context) error {
	ctx, end := context.WithCancel(context.Background())
	defer end()
	go func() {
		select {
		case <-p.killed:
			end()
		case <-ctx.Done():
		}
	}()
	logger := slog.New(slog.DiscardHandler)
	database := session{p}
	announcer := announce.NewOn(p.stats, database, logger)
	flow := consume.Flow{
		Intake: intake.New(p, p.ensure, logger), Database: database, Logger: logger,
		Pipeline: pipeline.Config{
			BatchesPerCommit: p.batchesPerCommit,
			Announce:         announcer.Commit,
			Jitter:           p.jitter,
		},
		Announcers: []func(context.Context) error{announcer.Run},
	}
	group, _ := flow.Start(ctx, stop)
	err := group.Wait()
	if stop.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (p *process) jitter(most time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls[aboutJitter]++
	return p.between(0, most, aboutJitter, uint64(p.consumer), uint64(p.life), p.calls[aboutJitter])
}
