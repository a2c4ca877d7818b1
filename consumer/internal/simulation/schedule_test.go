package simulation

import (
	"context"
	"slices"
	"testing"
	"time"
)

// Bounds in the schedule's own time: how long after the last fault all has to
// be stored and acknowledged, how long a stop may take, and within how long of
// quiet the last snapshot published is the database's.
const (
	recoverWithin = 20 * time.Second
	stopWithin    = 5 * time.Second
	announced     = 2 * time.Second
)

// event is a fault of a process or a server.
type event struct {
	at, lasts time.Duration
	what      happening
	consumer  int
}

type happening int

const (
	killed happening = iota
	terminated
	frozen
	offline
	cut
	databaseDown
	brokerDown
	streamLost
	happenings // how many there are
)

var happeningNames = [...]string{
	"kill -9", "SIGTERM", "SIGSTOP", "no connection to NATS", "a connection to NATS that nothing gets through",
	"PostgreSQL stopped", "NATS stopped", "stream lost",
}

// schedule is what is decided before the consumers start.
type schedule struct {
	*world
	consumers, sources int
	feed               []feeding
	events             []event
	done               bool
	stopping           context.Context //nolint:containedctx // what ends the schedule
}

type feeding struct {
	at      time.Duration
	fixture *fixture
}

func newSchedule(seed uint64) *schedule {
	w := newWorld(seed)
	s := &schedule{world: w, consumers: 1 + w.below(3, aboutSchedule, 1), sources: 1 + w.below(sources, aboutSchedule, 2)}
	w.trouble = []int{0, 10, 50, 200}[w.below(4, aboutSchedule, 3)]
	w.batchesPerCommit = []int{1, 2, 256}[w.below(3, aboutSchedule, 4)]
	busy := time.Duration(1+w.below(6, aboutSchedule, 5)) * time.Second
	w.calm = w.began.Add(busy)
	put := func(f *fixture, about ...uint64) {
		about = append([]uint64{aboutFeed}, about...)
		for i := range 1 + w.below(5, append(about, 1)...)/4 {
			s.feed = append(s.feed, feeding{w.between(0, busy/2, append(about, 2, uint64(i))...), f})
		}
	}
	rival := w.below(4, aboutSchedule, 6) == 0
	for i := range s.sources {
		for plan, batches := range fixtures.batches[i] {
			if plan > 0 && (!rival || i > 0) {
				continue
			}
			for n, f := range batches {
				put(f, uint64(i), uint64(plan), uint64(n))
			}
		}
	}
	for i := range w.below(6, aboutSchedule, 7) / 4 {
		put(fixtures.poison[i], 100, uint64(i))
	}
	for i := range w.below(6, aboutSchedule, 8) / 4 {
		put(fixtures.garbage[i], 200, uint64(i))
	}
	slices.SortFunc(s.feed, func(a, b feeding) int { return int(a.at - b.at) })
	for i := range uint64(w.below(4, aboutSchedule, 9)) {
		e := event{
			at: w.between(0, busy, aboutEvent, i, 1), what: happening(w.below(int(happenings), aboutEvent, i, 2)),
			consumer: w.below(s.consumers, aboutEvent, i, 3),
		}
		e.lasts = min(w.between(100*time.Millisecond, 8*time.Second, aboutEvent, i, 4), busy-e.at+w.between(0, time.Millisecond, aboutEvent, i, 5))
		s.events = append(s.events, e)
	}
	return s
}

// run plays the schedule to its end, in a bubble.
func (s *schedule) run(t *testing.T) {
	t.Helper()
	s.notef("%d consumers, %d sources, trouble %d per mille until %v, %d batches a commit",
		s.consumers, s.sources, s.trouble, s.calm.Sub(s.began), s.batchesPerCommit)
	stopping, stop := context.WithCancel(t.Context())
	defer stop()
	s.stopping = stopping
	s.processes = make([]*process, s.consumers)
	ended := make(chan error, s.consumers)
	for i := range s.consumers {
		s.processes[i] = newProcess(s.world, i, 1)
		go func() {
			// Ticks of several consumers never coincide.
			<-time.After(s.between(time.Microsecond, time.Millisecond, aboutRestart, uint64(i)))
			ended <- s.live(i)
		}()
	}
	for _, f := range s.feed {
		s.after(f.at, func() { s.broker.add(f.fixture) })
	}
	for _, e := range s.events {
		s.after(e.at, func() { s.happen(e) })
	}
	s.refill(0)
	s.await()
	stop()
	limit := time.After(stopWithin)
	for range s.consumers {
		select {
		case err := <-ended:
			if err != nil {
				s.brokenf("a consumer ended: %v", err)
			}
		case <-limit:
			s.brokenf("a consumer has not ended %v after SIGTERM", stopWithin)
			s.mu.Lock()
			for _, p := range s.processes {
				p.kill()
			}
			s.mu.Unlock()
			if err := <-ended; err != nil {
				s.notef("a consumer that was killed: %v", err)
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.database.locks) > 0 {
		s.brokenf("%d locks are held after the end", len(s.database.locks))
	}
}

// live is a consumer and whoever starts it again.
func (s *schedule) live(consumer int) error {
	for life := 1; ; life++ {
		s.mu.Lock()
		p := s.processes[consumer]
		s.notef("%s starts", p)
		s.mu.Unlock()
		ctx, end := context.WithCancel(s.stopping)
		s.mu.Lock()
		p.terminate = end
		s.mu.Unlock()
		err := p.run(ctx)
		asked := ctx.Err() != nil
		end()
		s.mu.Lock()
		dead := p.dead
		s.mu.Unlock()
		if s.stopping.Err() != nil || err != nil && !dead && !asked {
			if dead {
				err = nil
			}
			return err
		}
		s.mu.Lock()
		s.notef("%s has ended", p)
		p.kill()
		pause := s.limited(s.between(10*time.Millisecond, 2*time.Second, aboutRestart, uint64(consumer), uint64(life)))
		s.mu.Unlock()
		select {
		case <-time.After(pause):
		case <-s.stopping.Done():
			return nil
		}
		s.mu.Lock()
		s.processes[consumer] = newProcess(s.world, consumer, life+1)
		s.mu.Unlock()
	}
}

// kill is SIGKILL: nothing that the process does has an effect any more.
func (p *process) kill() {
	if !p.dead {
		p.dead = true
		close(p.killed)
	}
}

// happen begins an event, and ends it in time.
func (s *schedule) happen(e event) {
	s.notef("%s for %v, consumer %d", happeningNames[e.what], e.lasts, e.consumer)
	p := s.processes[e.consumer]
	switch e.what {
	case killed:
		p.kill()
	case terminated:
		if p.terminate != nil {
			p.terminate()
		}
	case frozen:
		p.thaws = time.Now().Add(e.lasts)
	case offline:
		p.offline = true
		s.after(e.lasts, func() { p.offline = false })
	case cut:
		p.cut = true
		s.after(e.lasts, func() { p.cut = false })
	case databaseDown:
		s.database.stop()
		s.after(e.lasts, func() { s.database.down = false })
	case brokerDown:
		s.broker.down, s.broker.pulls = true, nil
		s.after(e.lasts, func() {
			s.broker.down = false
			s.broker.dispatch()
		})
	case streamLost:
		s.broker.lose()
	case happenings:
	}
}

// refill publishes what is neither in the ledger nor in the stream, as
// producer --wait does.
func (s *schedule) refill(round uint64) {
	s.after(s.between(700*time.Millisecond, 1500*time.Millisecond, aboutFeed, 300, round), func() {
		if s.done {
			return
		}
		for _, f := range s.outstanding(s.sources) {
			if time.Now().After(s.began.Add(s.calm.Sub(s.began)/2)) && !s.broker.holds(f) {
				s.broker.add(f)
			}
		}
		s.refill(round + 1)
	})
}

// await waits until all is stored, acknowledged and announced, and checks it.
func (s *schedule) await() {
	<-time.After(time.Until(s.calm))
	for !s.complete() {
		if time.Since(s.calm) > recoverWithin {
			s.mu.Lock()
			s.brokenf("%v after the last fault %d batches are not stored, and %d messages in the stream",
				recoverWithin, len(s.outstanding(s.sources)), len(s.broker.stored))
			s.mu.Unlock()
			return
		}
		<-time.After(100 * time.Millisecond)
	}
	s.mu.Lock()
	quiet := s.database.changed
	if s.calm.After(quiet) {
		quiet = s.calm
	}
	s.mu.Unlock()
	<-time.After(time.Until(quiet.Add(announced)))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.check()
}

func (s *schedule) complete() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done = len(s.outstanding(s.sources)) == 0 && len(s.broker.stored) == 0 && !s.broker.missing
	return s.done
}

// check holds the tables and what was announced to the promises.
func (s *schedule) check() {
	d, b := s.database, s.broker
	var rows, count, rejected int64
	for k, times := range d.prices {
		if fixtures.byKey[k] == nil {
			s.brokenf("batch %d is stored, and was never published", k.number)
			continue
		}
		batch := fixtures.byKey[k].batch
		rows, count, rejected = rows+batch.Tally.Rows, count+batch.Tally.Count, rejected+int64(len(batch.Rejects))
		if times != 1 {
			s.brokenf("%s is stored %d times", fixtures.byKey[k].name, times)
		}
		if d.plans[k.source] != k.plan {
			s.brokenf("%s is stored beside another plan", fixtures.byKey[k].name)
		}
	}
	if st := d.stats; st.Rows != rows || st.Count != count || st.Rejected != rejected || st.Dead != int64(len(d.dead)) {
		s.brokenf("statistics %+v, and the tables have %d rows, %d prices, %d rejects, %d dead", st, rows, count, rejected, len(d.dead))
	}
	if d.stats.Revision == 0 {
		return
	}
	if last := b.heard; len(last) == 0 || last[len(last)-1] != d.stats.Revision {
		s.brokenf("the database has revision %d, and %v was announced", d.stats.Revision, last)
	}
	if b.kept == nil || revision(b.kept) != d.stats.Revision {
		s.brokenf("the database has revision %d, and the stream keeps %s", d.stats.Revision, b.kept)
	}
	if s.consumers == 1 && !slices.IsSorted(b.heard) {
		s.brokenf("one consumer announced %v", b.heard)
	}
}
