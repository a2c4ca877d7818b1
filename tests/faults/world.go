package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/streamgauge/streamgauge/shared/topology"
	"github.com/streamgauge/streamgauge/tests/clock"
	"github.com/streamgauge/streamgauge/tests/harness"
	"github.com/streamgauge/streamgauge/tests/oracle"
)

const (
	// pollEvery is how often the driver looks at the processes and the database.
	pollEvery = 10 * time.Millisecond
)

// world is one run: the pair, its servers, and what is done to them. Its fields
// are the driver's alone, but for what is said to be safe elsewhere.
type world struct {
	t        *testing.T
	scenario scenario
	seed     uint64
	random   *rand.Rand
	env      *harness.Env
	postgres *ownPostgres // nil where the shared one serves
	disk     *disk        // nil where none gets full
	parts    parts        // of a network, all of them nil where there is none
	outages  []outage     // that the first consumer has to notice

	readiness readiness // of that one, in its first life, which has the process id
	firstLife int
	faked     string                // file with the shift of PostgreSQL's clock
	shift     *clock.Shift          // of some clocks, nil where they go right
	journal   *journal              // safe for concurrent use
	holdings  holdings              // likewise
	judged    atomic.Pointer[[]int] // ids of the processes whose times are measured

	consumers []*worker
	producer  *worker
	js        jetstream.JetStream // once it has been asked for
	files     []file
	loading   int // which file is
	events    []event
	revision  int64 // of the database, as last seen
	stored    int64 // records
	records   int64 // of all files
}

type file struct {
	path    string
	content []byte
	load    oracle.Load
}

// event is something done once, when it is due.
type event struct {
	due  func() bool
	do   func()
	done bool
}

func newWorld(t *testing.T, s scenario, seed uint64) *world {
	t.Helper()
	w := &world{t: t, scenario: s, seed: seed, random: rand.New(rand.NewPCG(seed, uint64(len(s.name)))), journal: newJournal(t, s, seed)}
	var options []harness.Option
	if s.ownNATS {
		options = append(options, harness.WithOwnNATS())
	}
	if s.network {
		w.parts = newParts(t, s.cluster)
	}
	switch {
	case s.cluster && s.network:
		options = append(options, harness.WithNATSClusterAt(w.parts.places()...))
	case s.cluster:
		options = append(options, harness.WithNATSCluster())
	}
	if s.clocks != none {
		w.shift = newShift(t)
	}
	if s.clocks == natsClock {
		options = append(options, harness.WithNATSBinary(shiftedPrograms.binary(t, "nats-server"), w.shift.Env()))
	}
	if s.natsDisk > 0 {
		w.disk = mountDisk(t, s.natsDisk)
		options = append(options, harness.WithNATSStore(filepath.Join(w.disk.path, "nats")))
	}
	w.env = harness.New(t, options...)
	if s.ownPostgres != nil {
		w.postgres = startPostgres(t, s.ownPostgres(w))
		w.env.DatabaseURL, w.env.DB = w.postgres.url(), openPool(t, w.postgres.url())
	}
	for i := range s.files() {
		records := s.records/s.files() + i
		w.files = append(w.files, writeFile(t, w.random, fmt.Sprintf("%s-%d-%d.csv", s.name, seed, i), records))
		w.records += int64(records)
	}
	for i := range max(1, s.consumers) {
		c := newWorker(w, fmt.Sprintf("consumer %d", i+1), "consumer", "--http", "127.0.0.1:0", "--batches-per-commit", strconv.Itoa(s.mergeSize()))
		if s.natsDisk > 0 {
			c.args = append(c.args, "--max-bytes", strconv.FormatInt(s.natsDisk/4, 10))
		}
		if s.cluster {
			c.args = append(c.args, "--replicas", "3")
		}
		w.consumers = append(w.consumers, c)
	}
	w.producer = newWorker(w, "producer", "producer")
	if s.clocks == programClocks {
		for _, k := range append(slices.Clone(w.consumers), w.producer) {
			k.binary = shiftedPrograms.binary(t, k.program)
			k.env = append(k.env, w.shift.Env())
		}
	}
	return w
}

func openPool(t *testing.T, address string) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(context.Background(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// at does something once so much of all records has been stored or rejected,
// from 0 to 1.
func (w *world) at(fraction float64, do func()) {
	target := int64(fraction * float64(w.records))
	w.events = append(w.events, event{due: func() bool { return w.stored >= target }, do: do})
}

// in does something after so long.
func (w *world) in(d time.Duration, do func()) {
	at := time.Now().Add(d)
	w.events = append(w.events, event{due: func() bool { return time.Now().After(at) }, do: do})
}

// between draws a duration.
func (w *world) between(least, most time.Duration) time.Duration {
	return least + time.Duration(w.random.Int64N(int64(most-least)+1))
}

// somewhere draws a part of the work that leaves some before and behind it.
func (w *world) somewhere() float64 { return 0.05 + 0.75*w.random.Float64() }

// run loads the files with all that the scenario does to them.
func (w *world) run() {
	t := w.t
	t.Helper()
	follower := oracle.Follow(t, w.env)
	w.scenario.prepare(w)
	w.startConsumers()
	w.noteJudged()
	w.journal.watch(harness.WatchDelays(t, func() []int { return *w.judged.Load() }))
	stopAsking := w.askReadiness()
	defer stopAsking()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	last, moved := w.progress(), time.Now()
	for w.loading < len(w.files) || w.outstanding() || w.scenario.unwaited && !w.drained() {
		if now := w.progress(); now != last {
			last, moved = now, time.Now()
		} else if time.Since(moved) > stuckTime {
			t.Fatalf("nothing was stored or done for %s: %d of %d records stored, file %d of %d", stuckTime, w.stored, w.records, w.loading+1, len(w.files))
		}
		w.noteJudged()
		w.look()
		w.fire()
		w.superviseConsumers()
		w.superviseProducer()
		<-tick.C
	}
	w.journal.checkInjected(t)
	w.checkOutages()
	w.check(follower)
}

// drained says whether the stream is empty. Before the first look there may be
// none.
func (w *world) drained() bool {
	ctx, cancel := w.context(stepTime)
	defer cancel()
	if w.js == nil {
		w.js = w.env.JetStream(w.t)
	}
	stream, err := w.js.Stream(ctx, topology.StreamRows)
	return err == nil && stream.CachedInfo().State.Msgs == 0
}

// look asks the database how far it is. It may be out of order just now.
func (w *world) look() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var revision, stored int64
	if err := w.env.DB.QueryRow(ctx, "SELECT revision, rows + rejected FROM stats").Scan(&revision, &stored); err != nil {
		return
	}
	if revision > w.revision {
		w.journal.progressed()
	}
	w.revision, w.stored = revision, stored
}

func (w *world) fire() {
	for i := range w.events {
		if !w.events[i].done && w.events[i].due() {
			w.events[i].done = true
			w.events[i].do() // which may add others
		}
	}
}

func (w *world) superviseConsumers() {
	for _, c := range w.consumers {
		if c.ended() {
			c.restart()
		}
	}
}

// superviseProducer starts the producer, again where it failed or was killed,
// until every file is committed.
func (w *world) superviseProducer() {
	p := w.producer
	if w.loading == len(w.files) {
		return
	}
	f := w.files[w.loading]
	switch {
	case p.process == nil:
		p.args = []string{"--file", f.path, "--batch-size", strconv.Itoa(w.scenario.batchSize())}
		if !w.scenario.unwaited {
			p.args = append(p.args, "--wait")
		}
		if p.piped {
			p.args[1] = "-"
			p.stdin = f.content
		}
		p.start()
	case !p.ended():
	case p.result().Code == w.code(f):
		result := p.result()
		p.checkEnd(&result)
		w.loading++
		p.process = nil
	case p.result().Code == 0 || p.result().Code == 3:
		w.t.Fatalf("the producer ended with %d, not %d:\n%s%s", p.result().Code, w.code(f), p.result().Stdout, p.result().Stderr)
	default:
		if w.scenario.again != nil {
			p.args = w.scenario.again(w, p.args)
		}
		p.restart()
	}
}

// code is the producer's exit code when the file is committed. Who does not wait
// knows of no reject.
func (w *world) code(f file) int {
	if len(f.load.Rejects) > 0 && !w.scenario.unwaited {
		return 3
	}
	return 0
}

// check holds the outcome against the files.
func (w *world) check(follower *oracle.Follower) {
	t := w.t
	t.Helper()
	loads := make([]oracle.Load, len(w.files))
	for i, f := range w.files {
		loads[i] = f.load
	}
	oracle.CheckTables(t, w.env, loads...)
	if w.scenario.damages {
		w.checkResidue()
	} else {
		oracle.CheckStreamEmpty(t, w.env)
	}
	dead := w.env.Int(t, "SELECT count(*) FROM dead_batches")
	if dead != w.scenario.dead {
		t.Errorf("%d messages were set aside, %d were planted", dead, w.scenario.dead)
	}
	continued := func(c *worker) {
		harness.Eventually(t, stuckTime, c.name+" is continued", func() (bool, string) { return !c.frozen.Load(), "frozen" })
	}
	// What was frozen may have something older to announce.
	for _, c := range w.consumers {
		continued(c)
	}
	oracle.CheckPublished(t, w.env)
	follower.CheckHeard(t)
	follower.CheckGrows(t)
	if kept := follower.Kept(); len(kept) > 0 && kept[len(kept)-1].Revision > w.env.Int(t, "SELECT revision FROM stats") {
		t.Errorf("revision %d was published, which the database never had", kept[len(kept)-1].Revision)
	}
	if len(w.consumers) == 1 && !w.scenario.reorders {
		follower.CheckRising(t)
	}
	w.journal.absorbed(w.env.Int(t, "SELECT count(*) FROM batches") + dead)
	for _, c := range w.consumers {
		continued(c)
		c.signal(syscall.SIGTERM)
		result := c.result()
		result.Exits(t, 0)
		c.checkEnd(&result)
	}
}

// checkResidue waits until nothing that can be read is left to deliver. A broker
// whose store was damaged may keep messages that it neither delivers nor removes.
func (w *world) checkResidue() {
	t := w.t
	t.Helper()
	js := w.env.JetStream(t)
	harness.Eventually(t, 15*time.Second, "nothing in the stream ROWS is left to deliver", func() (bool, string) {
		ctx, cancel := w.context(stepTime)
		defer cancel()
		stream, err := js.Stream(ctx, topology.StreamRows)
		if err != nil {
			return false, err.Error()
		}
		durable, err := stream.Consumer(ctx, topology.Durable)
		if err != nil {
			return false, err.Error()
		}
		state, info := stream.CachedInfo().State, durable.CachedInfo()
		readable := 0
		for sequence := state.FirstSeq; state.Msgs > 0 && sequence <= state.LastSeq; sequence++ {
			if _, err := stream.GetMsg(ctx, sequence); err == nil {
				readable++
			}
		}
		what := fmt.Sprintf("%d messages, %d of them readable, %d pending, %d in hand", state.Msgs, readable, info.NumPending, info.NumAckPending)
		if readable > 0 && info.NumPending+uint64(info.NumAckPending) > 0 {
			return false, what
		}
		if state.Msgs > 0 {
			w.journal.notef("the broker keeps %s", what)
		}
		return true, ""
	})
}

// context bounds one step of a fault.
func (w *world) context(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(w.t.Context(), d)
}

// through is address with the host of a proxy.
func through(t *testing.T, address, host string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = host
	return u.String()
}

func hostOf(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}
