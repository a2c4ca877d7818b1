package pipeline

import (
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamgauge/streamgauge/consumer/internal/store"
)

// A short outage is sat out with the messages in hand.
func TestRetriesUntilItPasses(t *testing.T) {
	for name, outage := range map[string]error{"full disk": errFull, "unknown commit": errLost} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				messages := batches(t, 3)
				l := newLedger()
				began := time.Now()
				const lasts = giveBackAfter - time.Second
				var attempts []time.Time
				l.before = func([]*store.Batch, []*store.Dead) error {
					expectFate(t, messages, 0, 0)
					attempts = append(attempts, time.Now())
					if time.Since(began) < lasts {
						return outage
					}
					return nil
				}
				j, err := runOne(t, messages, l)
				if err != nil {
					t.Fatal(err)
				}
				expectFate(t, messages, 1, 0)
				expectStored(t, l, 1, 2, 3)
				if over := time.Since(began) - lasts; over > pauseMost {
					t.Errorf("noticed %s after it had passed", over)
				}
				for i := 1; i < len(attempts); i++ {
					if pause := attempts[i].Sub(attempts[i-1]); pause < pauseFirst/2 || pause > pauseMost {
						t.Fatalf("a pause of %s after attempt %d", pause, i)
					}
				}
				complaints := j.said("can't write to PostgreSQL, trying again")
				if len(complaints) != 1 || complaints[0].fields["error"] != store.Explain(outage) {
					t.Errorf("the complaints are %v", complaints)
				}
			})
		})
	}
}

// outage is a consumer whose database fails for a while.
type outage struct {
	queue    *queue
	ledger   *ledger
	journal  *journal
	messages []*message
	began    time.Time
	writes   []time.Time
	pings    []time.Time
	// written is when the last message was acknowledged.
	written time.Time
}

// during runs two writers through an outage of writes and one of pings.
func during(t *testing.T, writesFor, pingsFor time.Duration) *outage {
	t.Helper()
	o := &outage{messages: batches(t, 30), ledger: newLedger(), journal: &journal{}, began: time.Now()}
	o.queue = &queue{messages: o.messages}
	o.ledger.before = func([]*store.Batch, []*store.Dead) error {
		o.writes = append(o.writes, time.Now())
		if time.Since(o.began) < writesFor {
			return errFull
		}
		return nil
	}
	o.ledger.ping = func() error {
		o.ledger.mu.Lock()
		defer o.ledger.mu.Unlock()
		o.pings = append(o.pings, time.Now())
		if time.Since(o.began) < pingsFor {
			return errors.New("away")
		}
		return nil
	}
	if err := Run(t.Context(), o.queue, o.ledger, Config{BatchesPerCommit: 10}, slog.New(o.journal)); err != nil {
		t.Fatal(err)
	}
	o.written = time.Now()
	for _, m := range o.messages {
		if acks, _ := m.fate(); acks != 1 || o.ledger.stored[int64(m.content.Sequence)] != 1 {
			t.Errorf("message %d: acked %d times, stored %d times", m.content.Sequence, acks, o.ledger.stored[int64(m.content.Sequence)])
		}
	}
	if suspended, _ := o.queue.state(); suspended {
		t.Error("suspended at the end")
	}
	return o
}

// In a long outage the messages are for other consumers, and the database is
// only asked whether it is back.
func TestGivesBackWhatTheDatabaseDoesNotTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lasts = time.Hour
		o := during(t, lasts, lasts)
		released := 0
		for _, m := range o.messages {
			_, releases := m.fate()
			released += releases
			if releases > 1 {
				t.Errorf("message %d was given back %d times", m.content.Sequence, releases)
			}
		}
		if released != 2*10 { // what two writers had in hand
			t.Errorf("%d messages were given back", released)
		}
		if _, suspends := o.queue.state(); suspends != Writers {
			t.Errorf("suspended %d times", suspends)
		}
		for _, at := range o.writes {
			if after := at.Sub(o.began); after > giveBackAfter+pauseMost && after < lasts {
				t.Errorf("an attempt to write after %s", after)
			}
		}
		for i, at := range o.pings {
			if i >= Writers && at.Sub(o.pings[i-Writers]) > pauseMost+time.Millisecond {
				t.Errorf("not asked for %s", at.Sub(o.pings[i-Writers]))
			}
		}
		if n, most := len(o.pings), 2*Writers*int(lasts/pauseMost)+20; n > most {
			t.Errorf("asked %d times in %s", n, lasts)
		}
		if over := o.written.Sub(o.began) - lasts; over > pauseMost {
			t.Errorf("noticed %s after it had passed", over)
		}
		complaints := o.journal.said("can't reach PostgreSQL")
		if n := len(complaints); n < Writers*int((lasts-giveBackAfter-pauseMost)/(complainEvery+pauseMost)) || n > Writers*int(lasts/complainEvery) {
			t.Errorf("%d complaints in %s", n, lasts)
		}
	})
}

// A database that answers but takes nothing, its disk full, is tried again and
// again, in between with the messages in other consumers' reach.
func TestGivesBackWhileTheDatabaseTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lasts = time.Hour
		o := during(t, lasts, 0)
		if _, suspends := o.queue.state(); suspends < Writers*int(lasts/(giveBackAfter+pauseMost)) || suspends > Writers*int(lasts/giveBackAfter) {
			t.Errorf("suspended %d times in %s", suspends, lasts)
		}
		if n, most := len(o.writes), 12*Writers*int(lasts/giveBackAfter); n > most {
			t.Errorf("%d attempts in %s", n, lasts)
		}
		if over := o.written.Sub(o.began) - lasts; over > pauseMost {
			t.Errorf("noticed %s after it had passed", over)
		}
		complaints := o.journal.said("can't write to PostgreSQL, trying again")
		if n := len(complaints); n < Writers*int(lasts/(complainEvery+pauseMost)) || n > Writers*int(lasts/complainEvery)+Writers {
			t.Errorf("%d complaints in %s", n, lasts)
		}
	})
}

// A database that answers and takes nothing is one outage, from its beginning to its
// end, with whatever many writers ask it in between.
func TestFailsWhileTheDatabaseTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lasts = time.Hour
		l, began := newLedger(), time.Now()
		l.before = func([]*store.Batch, []*store.Dead) error {
			if time.Since(began) < lasts {
				return errFull
			}
			return nil
		}
		var activity Activity
		done := make(chan error, 1)
		go func() {
			done <- Run(t.Context(), &queue{messages: batches(t, 30)}, l, Config{BatchesPerCommit: 10, Activity: &activity}, slog.New(&journal{}))
		}()
		for at := time.Second; at < lasts; at += time.Second {
			<-time.After(time.Until(began.Add(at)))
			if reason, since := activity.Failing(); reason == "" || since.Sub(began) > time.Second {
				t.Fatalf("after %s it fails since %s: %q", at, since.Sub(began), reason)
			}
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if reason, _ := activity.Failing(); reason != "" {
			t.Errorf("at the end it fails: %s", reason)
		}
	})
}

// An outage that others saw the end of, because they have the messages now, is over
// when the database has answered for a while.
func TestFailsNoMoreWhereThereIsNothingToWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var activity Activity
		activity.begin()
		activity.end(errFull)
		activity.fail("a full disk")
		<-time.After(time.Minute)
		if reason, _ := activity.Failing(); reason == "" {
			t.Error("over without an answer")
		}
		activity.answers()
		<-time.After(doubted - 1)
		if reason, _ := activity.Failing(); reason == "" {
			t.Error("over at once")
		}
		<-time.After(1)
		if reason, _ := activity.Failing(); reason != "" {
			t.Errorf("after %s it fails: %s", doubted, reason)
		}
		activity.fail("a full disk")
		if _, since := activity.Failing(); !since.Equal(time.Now()) {
			t.Errorf("another outage began %s ago", time.Since(since))
		}
	})
}
