package contend

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/streamgauge/streamgauge/tests/benchmarks/exact"
	"github.com/streamgauge/streamgauge/tests/benchmarks/proc"
	"github.com/streamgauge/streamgauge/tests/benchmarks/result"
	"github.com/streamgauge/streamgauge/tests/benchmarks/stage"
)

// Pair is how producer and consumer run.
type Pair struct {
	BatchSize  int
	Consumers  int
	SyncAlways bool
}

// pair measures from the producer's start to the arrival of the snapshot that
// counts the last row. The consumers have been ready before.
func pair(key, title string, how Pair) Contender {
	return Contender{key, title, func(ctx context.Context, a *Arena) (result.Run, error) {
		run, _, err := a.pair(ctx, how)
		return run, err
	}}
}

// course is what is seen of a load besides its result.
type course struct {
	began   time.Time
	moments []Moment
	memory  map[string][]proc.Sample
}

func (a *Arena) pair(ctx context.Context, how Pair) (run result.Run, seen *course, err error) {
	l, err := a.lane(ctx, how.SyncAlways)
	if err != nil {
		return run, nil, err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	for range how.Consumers {
		if err := l.startConsumer(ctx); err != nil {
			return run, nil, err
		}
	}
	follower, err := follow(l.broker, a.File.Sums.Rows)
	if err != nil {
		return run, nil, err
	}
	if err := l.begin(); err != nil {
		return run, nil, err
	}
	began := time.Now()
	producer, err := l.startProducer("--wait", "--batch-size", strconv.Itoa(how.BatchSize), a.File.Path)
	if err != nil {
		return run, nil, err
	}
	announced, err := l.announced(ctx, follower, producer)
	if err != nil {
		return run, nil, err
	}
	if err := producer.Wait(); err != nil {
		return run, nil, err
	}
	run.Rows, run.Seconds, run.ProcessSeconds = a.File.Sums.Rows, announced.Sub(began).Seconds(), time.Since(began).Seconds()
	if err := exact.Drained(ctx, l.broker); err != nil {
		return run, nil, err
	}
	memory, err := l.end(&run, producer)
	if err != nil {
		return run, nil, err
	}
	seen = &course{began: began, moments: follower.moments(), memory: memory}
	run.Snapshots, run.FirstSeconds = len(seen.moments), seen.moments[0].At.Sub(began).Seconds()
	return run, seen, exact.Loaded(ctx, a.Stage, l.db, a.File.Sums)
}

// drain measures from the consumer's ready line, with the whole file in the
// stream, to the arrival of the last snapshot.
func drain(key, title string) Contender {
	return Contender{key, title, func(ctx context.Context, a *Arena) (run result.Run, err error) {
		l, err := a.lane(ctx, false)
		if err != nil {
			return run, err
		}
		defer func() { err = errors.Join(err, l.close()) }()
		producer, err := l.startProducer(a.File.Path)
		if err != nil {
			return run, err
		}
		if err := producer.Wait(); err != nil {
			return run, err
		}
		follower, err := follow(l.broker, a.File.Sums.Rows)
		if err != nil {
			return run, err
		}
		if err := l.startConsumer(ctx); err != nil {
			return run, err
		}
		began := time.Now()
		if err := l.begin(); err != nil {
			return run, err
		}
		announced, err := l.announced(ctx, follower, nil)
		if err != nil {
			return run, err
		}
		run.Rows, run.Seconds = a.File.Sums.Rows, announced.Sub(began).Seconds()
		if err := exact.Drained(ctx, l.broker); err != nil {
			return run, err
		}
		run.Snapshots = len(follower.moments())
		if _, err := l.end(&run, nil); err != nil {
			return run, err
		}
		return run, exact.Loaded(ctx, a.Stage, l.db, a.File.Sums)
	}}
}

// lane is one run's servers and processes.
type lane struct {
	arena     *Arena
	db        *stage.Database
	broker    *stage.Broker
	env       []string
	consumers []*proc.Process

	meter *meter
	spent map[string]time.Duration // before the run, by process
}

func (a *Arena) lane(ctx context.Context, syncAlways bool) (*lane, error) {
	l := &lane{arena: a}
	var err error
	if l.db, err = a.Stage.Database(ctx); err != nil {
		return nil, err
	}
	if l.broker, err = a.Stage.Broker(ctx, syncAlways); err != nil {
		return nil, errors.Join(err, l.db.Close())
	}
	l.env = []string{"NATS_URL=" + l.broker.URL, "DATABASE_URL=" + l.db.URL, "NO_COLOR=1"}
	return l, nil
}

// close ends and removes everything; a consumer that does not end well is an
// error.
func (l *lane) close() error {
	var err error
	for _, c := range l.consumers {
		err = errors.Join(err, c.Stop())
	}
	return errors.Join(err, l.broker.Close(), l.db.Close())
}

const readyTime = 30 * time.Second

var readyLine = regexp.MustCompile(`\bready\b`)

// startConsumer returns when the consumer is ready.
func (l *lane) startConsumer(ctx context.Context) error {
	c, err := proc.Start("consumer", l.arena.Stage.Consumer, l.env, l.arena.ConsumerArgs...)
	if err != nil {
		return err
	}
	l.consumers = append(l.consumers, c)
	return awaitReady(ctx, c)
}

func awaitReady(ctx context.Context, c *proc.Process) error {
	timer := time.NewTimer(readyTime)
	defer timer.Stop()
	for {
		select {
		case line := <-c.Lines():
			if readyLine.MatchString(line) {
				return nil
			}
		case <-c.Ended():
			return c.Unexpected()
		case <-timer.C:
			return fmt.Errorf("the consumer was not ready within %s", readyTime)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (l *lane) startProducer(args ...string) (*proc.Process, error) {
	p, err := proc.Start("producer", l.arena.Stage.Producer, l.env, args...)
	if err == nil && l.meter != nil {
		l.meter.watch.Add(result.Producer, p.PID())
	}
	return p, err
}

// begin starts to measure what the processes use.
func (l *lane) begin() error {
	var err error
	if l.meter, err = newMeter(l.arena.Stage); err != nil {
		return err
	}
	l.meter.watch.Add(result.Broker, l.broker.PID())
	for _, c := range l.consumers {
		l.meter.watch.Add(result.Consumer, c.PID())
	}
	l.spent, err = l.cpu()
	return err
}

func (l *lane) cpu() (map[string]time.Duration, error) {
	broker, err := proc.CPU(l.broker.PID())
	spent := map[string]time.Duration{result.Broker: broker}
	for _, c := range l.consumers {
		used, e := proc.CPU(c.PID())
		err = errors.Join(err, e)
		spent[result.Consumer] += used
	}
	return spent, err
}

// end fills in what the run has cost. producer may be nil, else it has ended.
func (l *lane) end(run *result.Run, producer *proc.Process) (map[string][]proc.Sample, error) {
	spent, err := l.cpu()
	if err != nil {
		return nil, err
	}
	run.CPUSeconds = make(map[string]float64)
	for name, used := range spent {
		run.CPUSeconds[name] = (used - l.spent[name]).Seconds()
	}
	if producer != nil {
		run.CPUSeconds[result.Producer] = producer.Used().Seconds()
	}
	return l.meter.stop(run, false)
}

// announced waits for the last snapshot, while all processes do well.
func (l *lane) announced(ctx context.Context, f *follower, producer *proc.Process) (time.Time, error) {
	var producing <-chan struct{}
	if producer != nil {
		producing = producer.Ended()
	}
	fallen, watching := make(chan *proc.Process), make(chan struct{})
	defer close(watching)
	for _, c := range l.consumers {
		go func() {
			select {
			case <-c.Ended():
			case <-watching:
				return
			}
			select {
			case fallen <- c:
			case <-watching:
			}
		}()
	}
	for {
		select {
		case <-f.reached:
			return f.last(), nil
		case err := <-f.bad:
			return time.Time{}, err
		case <-producing:
			if err := producer.Wait(); err != nil {
				return time.Time{}, err
			}
			producing = nil
		case c := <-fallen:
			return time.Time{}, c.Unexpected()
		case <-l.broker.Ended():
			return time.Time{}, l.broker.Unexpected()
		case <-ctx.Done():
			return time.Time{}, ctx.Err()
		}
	}
}
