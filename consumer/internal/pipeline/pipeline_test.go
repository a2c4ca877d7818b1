package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/shared/stats"
)

// batches are messages with batches 1 to n, of one record each.
func batches(t testing.TB, n int) []*message {
	t.Helper()
	var messages []*message
	for i := range n {
		messages = append(messages, batch(t, int64(i+1), 1))
	}
	return messages
}

func run(t *testing.T, messages []*message, l *ledger, perCommit int) (*journal, error) {
	t.Helper()
	j := &journal{}
	err := Run(t.Context(), &queue{messages: messages}, l, Config{BatchesPerCommit: perCommit}, slog.New(j))
	return j, err
}

// runOne is run with a single writer, which gets all the messages in one merge.
func runOne(t *testing.T, messages []*message, l *ledger) (*journal, error) {
	t.Helper()
	j := &journal{}
	c := newCounter(slog.New(j))
	defer c.close()
	w := &writer{
		source: &queue{messages: messages}, database: l, config: Config{BatchesPerCommit: len(messages), Activity: new(Activity), Meter: noMeter{}},
		logger: slog.New(j), counter: c,
	}
	return j, w.run(t.Context())
}

func expectFate(t *testing.T, messages []*message, acks, releases int) {
	t.Helper()
	for _, m := range messages {
		if a, r := m.fate(); a != acks || r != releases {
			t.Errorf("message %d: acked %d times, released %d times; want %d and %d", m.content.Sequence, a, r, acks, releases)
		}
	}
}

func expectStored(t *testing.T, l *ledger, numbers ...int64) {
	t.Helper()
	want := make(map[int64]int)
	for _, n := range numbers {
		want[n] = 1
	}
	if diff := cmp.Diff(want, l.stored); diff != "" {
		t.Error("stored: want -, got +", diff)
	}
}

func TestAcknowledgesAfterTheCommitOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		messages := batches(t, 10)
		l := newLedger()
		l.hold = make(chan struct{})
		ended := make(chan error)
		go func() {
			_, err := run(t, messages, l, 256)
			ended <- err
		}()
		<-time.After(time.Minute)
		synctest.Wait()
		expectFate(t, messages, 0, 0)
		close(l.hold)
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		expectFate(t, messages, 1, 0)
		expectStored(t, l, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
	})
}

func TestMergesWithinTheLimits(t *testing.T) {
	t.Run("messages", func(t *testing.T) {
		l := newLedger()
		if _, err := run(t, batches(t, 20), l, 3); err != nil {
			t.Fatal(err)
		}
		for _, m := range l.merges {
			if len(m.batches) > 3 {
				t.Errorf("a merge of %d", len(m.batches))
			}
		}
		if n := len(l.merges); n > 8 { // two writers share twenty
			t.Errorf("%d merges of what was at hand", n)
		}
	})
	t.Run("one message, in order", func(t *testing.T) {
		l := newLedger()
		if _, err := run(t, batches(t, 20), l, 1); err != nil {
			t.Fatal(err)
		}
		for i, m := range l.merges {
			if diff := cmp.Diff([]int64{int64(i + 1)}, m.batches); diff != "" {
				t.Error(diff)
			}
		}
	})
	t.Run("rows", func(t *testing.T) {
		l := newLedger()
		var messages []*message
		for n := range int64(8) {
			messages = append(messages, batch(t, n+1, 20_000))
		}
		if _, err := run(t, messages, l, 256); err != nil {
			t.Fatal(err)
		}
		for _, m := range l.merges {
			if m.records-m.lastRecords >= maxRows {
				t.Errorf("%d rows, and %d more", m.records-m.lastRecords, m.lastRecords)
			}
		}
		if n := len(l.merges); n > 4 {
			t.Errorf("%d merges of 160,000 rows", n)
		}
	})
	t.Run("bytes", func(t *testing.T) {
		l := newLedger()
		var messages []*message
		for n := range uint64(10) {
			messages = append(messages, garbage(n+1, 3<<20))
		}
		if _, err := run(t, messages, l, 256); err != nil {
			t.Fatal(err)
		}
		for _, m := range l.merges {
			if m.deadBytes-m.lastDeadBytes >= maxBytes {
				t.Errorf("%d bytes, and %d more", m.deadBytes-m.lastDeadBytes, m.lastDeadBytes)
			}
		}
		if n := len(l.merges); n > 5 {
			t.Errorf("%d merges of 30 MiB", n)
		}
	})
}

// A commit whose reply was lost has taken effect: the ledger says so.
func TestRetriesAnUnknownCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		messages := batches(t, 5)
		l := newLedger()
		failures := 0
		l.after = func([]*store.Batch, []*store.Dead) error {
			if failures++; failures <= 3 {
				return errLost
			}
			return nil
		}
		j, err := run(t, messages, l, 256)
		if err != nil {
			t.Fatal(err)
		}
		expectFate(t, messages, 1, 0)
		expectStored(t, l, 1, 2, 3, 4, 5)
		if got := j.said("stopped")[0].fields["repeated"]; got != "5" {
			t.Errorf("%s counted as repeated", got)
		}
	})
}

func TestPoisonIsIsolated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		messages := batches(t, 10)
		l := newLedger()
		l.poison = map[int64]bool{4: true, 10: true}
		j, err := run(t, messages, l, 256)
		if err != nil {
			t.Fatal(err)
		}
		expectFate(t, messages, 1, 0)
		expectStored(t, l, 1, 2, 3, 5, 6, 7, 8, 9)
		reason := "copy rows: PostgreSQL refuses a value: timestamp out of range (SQLSTATE 22008)"
		if diff := cmp.Diff(map[uint64]string{4: reason, 10: reason}, l.dead); diff != "" {
			t.Error("dead: want -, got +", diff)
		}
		if n := len(j.said("PostgreSQL refuses a message's values")); n != 2 {
			t.Errorf("told of %d", n)
		}
		if got := j.said("stopped")[0].fields["dead"]; got != "2" {
			t.Errorf("%s counted as dead", got)
		}
	})
}

// An outage while poison is looked for makes no other message dead.
func TestPoisonDuringAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		messages := batches(t, 6)
		l := newLedger()
		l.poison = map[int64]bool{3: true}
		calls := 0
		l.before = func(batches []*store.Batch, dead []*store.Dead) error {
			if calls++; len(batches)+len(dead) == 1 && calls%4 != 0 {
				return errFull
			}
			return nil
		}
		if _, err := runOne(t, messages, l); err != nil {
			t.Fatal(err)
		}
		expectFate(t, messages, 1, 0)
		expectStored(t, l, 1, 2, 4, 5, 6)
		if len(l.dead) != 1 || l.dead[3] == "" {
			t.Errorf("dead: %v", l.dead)
		}
	})
}

func TestWhatCannotBeDecodedIsSetAside(t *testing.T) {
	messages, bad := batches(t, 3), garbage(99, 10)
	l := newLedger()
	j, err := run(t, append([]*message{bad}, messages...), l, 256)
	if err != nil {
		t.Fatal(err)
	}
	expectFate(t, append(messages, bad), 1, 0)
	expectStored(t, l, 1, 2, 3)
	if diff := cmp.Diff(map[uint64]string{99: "header Streamgauge-Version: missing"}, l.dead); diff != "" {
		t.Error("dead: want -, got +", diff)
	}
	if n := len(j.said("a message can't be decoded")); n != 1 {
		t.Errorf("told of %d", n)
	}
}

func TestFatalEndsWithTheMessagesReleased(t *testing.T) {
	t.Run("merge", func(t *testing.T) {
		messages := batches(t, 5)
		l := newLedger()
		l.before = func([]*store.Batch, []*store.Dead) error { return errSchema }
		_, err := runOne(t, messages, l)
		if diff := cmp.Diff("write to PostgreSQL: too cheap (SQLSTATE 23514)", fmt.Sprint(err)); diff != "" {
			t.Error("want -, got +", diff)
		}
		expectFate(t, messages, 0, 1)
		expectStored(t, l)
	})
	t.Run("while poison is looked for", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			messages := batches(t, 5)
			l := newLedger()
			l.poison = map[int64]bool{2: true}
			l.before = func(batches []*store.Batch, _ []*store.Dead) error {
				if len(batches) == 1 && batches[0].Number == 4 {
					return errSchema
				}
				return nil
			}
			if _, err := runOne(t, messages, l); err == nil {
				t.Fatal("nothing failed")
			}
			expectStored(t, l, 1, 3)
			for i, m := range messages {
				acks, releases := m.fate()
				if done := i < 3; done && acks != 1 || !done && (acks != 0 || releases != 1) {
					t.Errorf("message %d: acked %d times, released %d times", i+1, acks, releases)
				}
			}
		})
	})
	t.Run("the other writer ends too", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			first := batch(t, 1, 1)
			l := newLedger()
			l.before = func([]*store.Batch, []*store.Dead) error { return errSchema }
			err := Run(t.Context(), &queue{messages: []*message{first}, open: true}, l, Config{BatchesPerCommit: 9}, slog.New(slog.DiscardHandler))
			if err == nil || errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			if acks, releases := first.fate(); acks != 0 || releases == 0 {
				t.Errorf("acked %d times, released %d times", acks, releases)
			}
		})
	})
}

func TestStop(t *testing.T) {
	t.Run("while it waits for messages", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			err := Run(ctx, &queue{open: true}, newLedger(), Config{BatchesPerCommit: 9}, slog.New(slog.DiscardHandler))
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		})
	})
	t.Run("in an outage", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			messages := batches(t, 3)
			l := newLedger()
			l.before = func([]*store.Batch, []*store.Dead) error { return errFull }
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			began := time.Now()
			err := Run(ctx, &queue{messages: messages}, l, Config{BatchesPerCommit: 9}, slog.New(slog.DiscardHandler))
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Minute {
				t.Errorf("got %v after %s", err, time.Since(began))
			}
			for _, m := range messages {
				if acks, releases := m.fate(); acks != 0 || releases == 0 {
					t.Errorf("message %d: acked %d times, released %d times", m.content.Sequence, acks, releases)
				}
			}
		})
	})
}

func TestAcknowledgesWhatChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		messages := append(batches(t, 7), batch(t, 1, 1)) // the first came twice
		l := newLedger()
		l.outcome = map[int64]store.Outcome{
			2: store.AlreadyStored, 3: store.Superseded, 4: store.Superseded, 5: store.Refused, 7: store.Retired,
		}
		j, err := run(t, messages, l, 1)
		if err != nil {
			t.Fatal(err)
		}
		expectFate(t, messages, 1, 0)
		expectStored(t, l, 1, 6)
		want := map[string]string{
			"batches": "2", "rows": "2", "rejects": "0", "dead": "0", "repeated": "2", "superseded": "2", "refused": "1", "retired": "1",
		}
		if diff := cmp.Diff(want, j.said("stopped")[0].fields); diff != "" {
			t.Error("want -, got +", diff)
		}
		// The source is the same, so that one reminder is enough for a while.
		if n := len(j.said("batches of a plan")) + len(j.said("batches are refused")); n != 1 {
			t.Errorf("%d reminders", n)
		}
	})
}

func TestLostAcknowledgementsAreNoFailure(t *testing.T) {
	messages := batches(t, 3)
	for _, m := range messages {
		m.fail = errors.New("nats: connection closed")
	}
	l := newLedger()
	if _, err := run(t, messages, l, 256); err != nil {
		t.Error(err)
	}
	expectFate(t, messages, 1, 0)
	expectStored(t, l, 1, 2, 3)
}

func TestAnnouncesEachCommit(t *testing.T) {
	var announced []int64
	config := Config{BatchesPerCommit: 1, Announce: func(s *stats.Snapshot) { announced = append(announced, s.Revision) }}
	if err := Run(t.Context(), &queue{messages: batches(t, 3)}, newLedger(), config, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int64{1, 2, 3}, announced); diff != "" {
		t.Error("want -, got +", diff)
	}
}

// Whatever fails and however often, every message ends acknowledged once: with
// its batch stored once, or itself dead once because it alone was refused.
func TestConservation(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		const most = 30
		perCommit := rapid.IntRange(1, 12).Draw(rt, "per commit")
		poison := rapid.MapOf(rapid.Int64Range(1, most), rapid.Just(true)).Draw(rt, "poison")
		faults := rapid.SliceOfN(rapid.SampledFrom([]error{nil, nil, errFull, errLost}), 1, 40).Draw(rt, "faults")
		effect := rapid.SliceOfN(rapid.Bool(), len(faults), len(faults)).Draw(rt, "with effect")
		repeated := rapid.SliceOfN(rapid.Int64Range(1, most), 0, 10).Draw(rt, "repeated")
		var fault string
		synctest.Test(t, func(t *testing.T) {
			messages := batches(t, most)
			for _, n := range repeated {
				messages = append(messages, batch(t, n, 1))
			}
			l := newLedger()
			l.poison = poison
			call := 0
			l.before = func([]*store.Batch, []*store.Dead) error {
				if call++; call < len(faults) && !effect[call] {
					return faults[call]
				}
				return nil
			}
			l.after = func([]*store.Batch, []*store.Dead) error {
				if call < len(faults) && effect[call] {
					return faults[call]
				}
				return nil
			}
			_, err := run(t, messages, l, perCommit)
			fault = conserved(messages, l, err)
		})
		if fault != "" {
			rt.Fatal(fault)
		}
	})
}

func conserved(messages []*message, l *ledger, err error) string {
	if err != nil {
		return err.Error()
	}
	for _, m := range messages {
		if acks, _ := m.fate(); acks != 1 {
			return fmt.Sprintf("message %d: acked %d times", m.content.Sequence, acks)
		}
		n := int64(m.content.Sequence)
		_, dead := l.dead[m.content.Sequence]
		if stored := l.stored[n]; dead != l.poison[n] || dead && stored != 0 || !dead && stored != 1 {
			return fmt.Sprintf("batch %d: stored %d times, dead %t, poison %t", n, stored, dead, l.poison[n])
		}
	}
	return ""
}

// tallyMeter keeps what it is told.
type tallyMeter struct {
	mu       sync.Mutex
	outcomes map[store.Outcome]int
	dead     int
	commits  int
	took     time.Duration
	failed   map[store.Class]int
}

func (m *tallyMeter) Committed(batches []*store.Batch, result *store.Result, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range batches {
		m.outcomes[result.Outcomes[i]]++
	}
	m.commits++
	m.dead += result.Dead
	m.took = took
}

func (m *tallyMeter) Failed(class store.Class) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failed[class]++
}

// Each transaction is told to the meter once: when it has taken effect, with
// what became of its batches and how long it took, or as a failure.
func TestMeterIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		meter := &tallyMeter{outcomes: make(map[store.Outcome]int), failed: make(map[store.Class]int)}
		messages := append(batches(t, 4), garbage(5, 1))
		l := newLedger()
		l.poison = map[int64]bool{2: true}
		l.outcome = map[int64]store.Outcome{3: store.Superseded}
		failures := []error{errFull, errLost}
		l.before = func([]*store.Batch, []*store.Dead) error {
			<-time.After(10 * time.Millisecond)
			if len(failures) == 0 {
				return nil
			}
			err := failures[0]
			failures = failures[1:]
			return err
		}
		logger := slog.New(&journal{})
		counter := newCounter(logger)
		defer counter.close()
		// A single one, so that all is one merge at first.
		w := &writer{
			source: &queue{messages: messages}, database: l, logger: logger, counter: counter,
			config: Config{BatchesPerCommit: 256, Meter: meter, Activity: new(Activity)},
		}
		if err := w.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[store.Outcome]int{store.Stored: 2, store.Superseded: 1}, meter.outcomes); diff != "" {
			t.Error("outcomes: want -, got +", diff)
		}
		// The merge, and then the message by itself.
		if diff := cmp.Diff(map[store.Class]int{store.Retry: 2, store.Poison: 2}, meter.failed); diff != "" {
			t.Error("failures: want -, got +", diff)
		}
		if meter.dead != 2 || meter.commits != 5 || meter.took != 10*time.Millisecond {
			t.Errorf("%d dead, %d commits, the last in %s", meter.dead, meter.commits, meter.took)
		}
	})
}
