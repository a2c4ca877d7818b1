package simulation

import (
	"context"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/producer/internal/report"
	"github.com/streamgauge/streamgauge/shared/record"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// Bounds in the schedule's own time: how long after the last fault the last
// producer may end, and how long one may take that was interrupted.
const (
	endsWithin  = 40 * time.Second
	stopsWithin = 5500 * time.Millisecond
)

// event is a fault of a process or a server.
type event struct {
	at, lasts time.Duration
	what      happening
	producer  int
}

type happening int

const (
	killed happening = iota
	interrupted
	offline
	brokerDown
	streamFull
	streamLost
	streamPurged
	messageLost
	othersPublish
	consumersDown
	databaseDown
	rivalPublishes
	unloaded
	happenings // how many there are
)

var happeningNames = [...]string{
	"kill -9", "SIGINT", "no connection to NATS", "NATS stopped", "stream full", "stream lost", "stream purged", "message lost",
	"others publish", "consumers stopped", "PostgreSQL stopped", "a rival publishes", "the load is taken back",
}

// schedule is what is decided before the producers start.
type schedule struct {
	*world

	producers int
	wait      bool
	events    []event
	restarts  bool // a producer may be started again with another batch size
	stopped   time.Time
}

func newSchedule(seed uint64) *schedule {
	w := newWorld(seed)
	s := &schedule{world: w, producers: 1, wait: !w.oneIn(5), restarts: w.oneIn(3)}
	if w.oneIn(4) {
		s.producers = 2
	}
	w.trouble = []int{0, 20, 80, 250}[w.random.IntN(4)]
	busy := time.Duration(1+w.random.IntN(6)) * time.Second
	w.calm = w.began.Add(busy)
	c := w.consumers
	c.file = fixtures[w.random.IntN(len(fixtures))]
	c.pace = []time.Duration{time.Millisecond, 100 * time.Millisecond, 2500 * time.Millisecond}[w.random.IntN(3)]
	c.poison = -1
	if w.oneIn(5) {
		c.poison, c.cured = w.random.Int64N(records), w.random.IntN(3)
	}
	if w.oneIn(40) {
		c.named = []wire.Load{{Source: fixtures[0].source[1:] + "0", Name: c.file.name, Size: 10}}
	}
	for range w.random.IntN(5) {
		e := event{at: w.between(0, busy), what: happening(w.random.IntN(int(happenings))), producer: w.random.IntN(s.producers)}
		if e.what == unloaded && !w.oneIn(4) {
			e.what = streamLost
		}
		e.lasts = min(w.between(50*time.Millisecond, 5*time.Second), busy-e.at+w.between(0, time.Millisecond))
		s.events = append(s.events, e)
	}
	return s
}

// run plays the schedule to its end, in a bubble.
func (s *schedule) run(t *testing.T) {
	t.Helper()
	s.notef("%d producers, wait %t, trouble %d per mille until %v, consumers take up to %v, poison in record %d, cured after %d",
		s.producers, s.wait, s.trouble, s.calm.Sub(s.began), s.consumers.pace, s.consumers.poison, s.consumers.cured)
	for _, e := range s.events {
		s.after(e.at, func() { s.happen(e) })
	}
	ended := make(chan struct{}, s.producers)
	s.processes = make([]*process, s.producers)
	for i := range s.producers {
		size := batchSizes[s.random.IntN(len(batchSizes))]
		s.processes[i] = newProcess(s.world, i, 1, size, s.wait)
		go func() {
			_ = pause(t.Context(), time.Duration(1+i)*137*time.Microsecond)
			s.live(t.Context(), i)
			ended <- struct{}{}
		}()
	}
	for range s.producers {
		<-ended
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if late := s.stopped.Sub(s.calm); late > endsWithin {
		s.brokenf("the last producer ended %v after the last fault", late)
	}
}

// live is a producer and whoever starts it again until it has done its work.
func (s *schedule) live(ctx context.Context, i int) {
	for life := 2; ; life++ {
		s.mu.Lock()
		p := s.processes[i]
		ctx, end := context.WithDeadline(ctx, s.calm.Add(endsWithin+10*time.Second))
		var asked time.Time
		p.end = func() {
			asked = time.Now()
			end()
		}
		s.notef("%s starts with a batch size of %d", p, p.batchSize)
		s.mu.Unlock()
		o := p.run(ctx)
		expired := ctx.Err() == context.DeadlineExceeded
		end()
		s.mu.Lock()
		p.end = nil
		done := s.ended(p, o, asked, expired)
		s.stopped = time.Now()
		wait := s.limited(p.between(10*time.Millisecond, time.Second))
		if !done {
			size := p.batchSize
			if s.restarts {
				size = batchSizes[p.random.IntN(len(batchSizes))]
			}
			s.processes[i] = newProcess(s.world, i, life, size, s.wait)
		}
		s.mu.Unlock()
		if done {
			return
		}
		_ = pause(context.WithoutCancel(ctx), wait)
	}
}

// ended holds the end of a process to the promises, and says whether there is
// nothing left to do.
func (s *schedule) ended(p *process, o outcome, asked time.Time, expired bool) bool {
	s.notef("%s ends with %d, %s: %v", p, o.code, o.file.State, o.err)
	c := s.consumers
	switch {
	case p.dead:
		return false
	case expired:
		s.brokenf("%s was still at work %v after the last fault: %d of %d batches stored", p, endsWithin, len(c.done), c.batches)
		return true
	case o.code == exitDone && !s.wait:
		s.checkQueued(p, &o)
		return true
	case o.code == exitDone:
		s.checkStored(&o, report.Committed)
		if c.rejected > 0 {
			s.brokenf("%s ends with 0, and %d records are rejects", p, c.rejected)
		}
		return true
	case o.code == exitIncomplete && s.wait:
		if o.file.State == report.Dead {
			s.checkDead(p, &o)
		} else if s.checkStored(&o, report.Committed); c.rejected == 0 && !c.retired {
			s.brokenf("%s ends with 3, and nothing was rejected", p)
		}
		return true
	case o.code == exitInterrupted && !asked.IsZero():
		if took := time.Since(asked); took > stopsWithin {
			s.brokenf("%s took %v to stop", p, took)
		}
		return false
	case o.code == exitFailed && (c.retired || len(c.named) > 0):
		want := report.Refused
		if len(p.sent) > 0 {
			want = report.Failed
		}
		if o.file.State != want {
			s.brokenf("%s ends with %s after %d batches were sent", p, o.file.State, len(p.sent))
		}
		return true
	}
	s.brokenf("%s ends with %d, %s: %v", p, o.code, o.file.State, o.err)
	return true
}

// checkStored is for a process that says all is in the database.
func (s *schedule) checkStored(o *outcome, want report.State) {
	c := s.consumers
	if c.retired {
		return // it was, before that
	}
	if o.file.State != want || !c.complete() || c.rows+c.rejected != records {
		s.brokenf("a producer ends with %d, %s, and %d of %d batches are stored, %d rows and %d rejects of %d records",
			o.code, o.file.State, len(c.done), c.batches, c.rows, c.rejected, records)
	}
	if o.file.Rows == nil || *o.file.Rows != c.rows || *o.file.Rejected != c.rejected {
		s.brokenf("a producer tells of other numbers than %d rows and %d rejects", c.rows, c.rejected)
	}
}

// checkQueued is for one that says all is in the stream, or was.
func (s *schedule) checkQueued(p *process, o *outcome) {
	c := s.consumers
	if o.file.State == report.Committed {
		s.checkStored(o, report.Committed)
		return
	}
	if o.file.State != report.Queued {
		s.brokenf("%s ends with %d and has %s", p, o.code, o.file.State)
	}
	size := p.batchSize
	if p.knows != nil {
		size = p.knows.BatchSize
	}
	for number := int64(1); number <= o.file.Batches; number++ {
		if p.acked[batchKey{size, number}] == nil && !c.done[number] && !c.retired {
			s.brokenf("%s ends with 0, and batch %d was never acknowledged", p, number)
		}
	}
}

// checkDead is for one that says that some batches are set aside each time.
func (s *schedule) checkDead(p *process, o *outcome) {
	c := s.consumers
	if c.poison < 0 {
		s.brokenf("%s tells of dead batches, and there were none", p)
		return
	}
	size := p.batchSize
	if p.knows != nil {
		size = p.knows.BatchSize
	}
	bad := 1 + c.poison/int64(size)
	for number := int64(1); number <= o.file.Batches; number++ {
		switch {
		case number == bad || c.done[number] || c.retired:
		default:
			s.brokenf("%s ends with 3, and batch %d is neither stored nor dead", p, number)
		}
	}
	k := batchKey{size, bad}
	if c.deaths[bad] < attempts {
		s.brokenf("%s gives batch %d up, which was set aside %d times", p, bad, c.deaths[bad])
	}
	if s.trouble == 0 && len(s.events) == 0 && s.producers == 1 && p.sent[k] != attempts {
		s.brokenf("%s sent batch %d %d times before it gave it up", p, bad, p.sent[k])
	}
}

// happen begins an event, and ends it in time.
func (s *schedule) happen(e event) {
	s.notef("%s for %v, producer %d", happeningNames[e.what], e.lasts, e.producer)
	b, c, p := s.broker, s.consumers, s.processes[e.producer]
	during := func(state *bool) {
		*state = true
		s.after(e.lasts, func() { *state = false })
	}
	switch e.what {
	case killed:
		p.kill()
	case interrupted:
		if p.end != nil {
			p.end()
		}
	case offline:
		during(&p.offline)
		b.disconnect(p)
	case brokerDown:
		during(&b.down)
		b.disconnect(nil)
	case streamFull:
		during(&b.full)
	case streamLost:
		b.lose()
	case streamPurged:
		b.harm(b.all()...)
	case messageLost:
		if list := b.all(); len(list) > 0 {
			b.harm(list[s.random.IntN(len(list))])
		}
	case othersPublish:
		for range 1 + s.random.IntN(8) {
			if !b.down && !b.missing {
				b.add(wire.Batch{Source: "another", Number: 1 + s.random.Int64N(6), Batches: 6})
			}
		}
	case consumersDown:
		during(&c.down)
	case databaseDown:
		during(&c.databaseDown)
	case rivalPublishes:
		s.rival()
	case unloaded:
		c.retire()
	case happenings:
	}
}

// rival publishes some batches of the file, cut in one of the ways there are.
func (s *schedule) rival() {
	size := batchSizes[s.random.IntN(len(batchSizes))]
	batches := int64((records + size - 1) / size)
	for number := int64(1); number <= batches; number++ {
		if s.broker.down || s.broker.missing || s.oneIn(2) {
			continue
		}
		s.broker.add(wire.Batch{
			Source: s.consumers.file.source, Number: number, Batches: batches, Records: min(size, records-int(number-1)*size),
			Plan: wire.Plan{Format: record.Format{Delimiter: ",", Fields: 3, Price: 1, UserID: 2}, BatchSize: size},
		})
	}
}
