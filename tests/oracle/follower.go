package oracle

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/streamgauge/streamgauge/tests/harness"
)

// Snapshot is a message on stats.price, as far as tests look at it. It is read
// by its JSON names alone, as any subscriber would.
type Snapshot struct {
	Database string      `json:"database"`
	Revision int64       `json:"revision"`
	Rows     int64       `json:"rows"`
	Count    int64       `json:"count"`
	Nulls    int64       `json:"nulls"`
	Rejected int64       `json:"rejected"`
	Dead     int64       `json:"dead"`
	Sum      json.Number `json:"sum"`
	Mean     json.Number `json:"mean"`
	Min      json.Number `json:"min"`
	Max      json.Number `json:"max"`
	StdDev   json.Number `json:"stddev"`
	Source   string      `json:"source"`
}

// Follower records what is published on stats.price from its making on.
type Follower struct {
	mu       sync.Mutex
	messages []Snapshot
	bad      []string
}

// Follow subscribes until the test ends.
func Follow(t testing.TB, env *harness.Env) *Follower {
	t.Helper()
	f := &Follower{}
	conn := env.Conn(t)
	_, err := conn.Subscribe("stats.price", func(msg *nats.Msg) {
		f.mu.Lock()
		defer f.mu.Unlock()
		var s Snapshot
		if err := json.Unmarshal(msg.Data, &s); err != nil || msg.Reply != "" || len(msg.Header) != 0 {
			f.bad = append(f.bad, fmt.Sprintf("%q (reply %q, headers %v)", msg.Data, msg.Reply, msg.Header))
			return
		}
		f.messages = append(f.messages, s)
	})
	must(t, err)
	must(t, conn.Flush())
	return f
}

// All returns every snapshot heard so far, in the order they came.
func (f *Follower) All() []Snapshot {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Snapshot(nil), f.messages...)
}

// Kept returns those a subscriber keeps that ignores lower revisions.
func (f *Follower) Kept() []Snapshot {
	var kept []Snapshot
	for _, s := range f.All() {
		if len(kept) == 0 || s.Revision > kept[len(kept)-1].Revision {
			kept = append(kept, s)
		}
	}
	return kept
}

// CheckRising fails the test where a revision, as it came, was lower than one
// before. With one consumer that holds for any subscriber.
func (f *Follower) CheckRising(t testing.TB) {
	t.Helper()
	all := f.All()
	for i := 1; i < len(all); i++ {
		if all[i].Revision < all[i-1].Revision {
			t.Errorf("revision %d came after %d", all[i].Revision, all[i-1].Revision)
		}
	}
}

// CheckHeard fails the test where a message was not one line of JSON alone, or
// said of a revision what another did not.
func (f *Follower) CheckHeard(t testing.TB) {
	t.Helper()
	f.mu.Lock()
	for _, message := range f.bad {
		t.Errorf("on stats.price, but not one line of JSON alone: %s", message)
	}
	f.mu.Unlock()
	all := f.byRevision()
	for i := 1; i < len(all); i++ {
		if one, two := all[i-1], all[i]; one.Database == two.Database && one.Revision == two.Revision && one != two {
			t.Errorf("two messages of one revision: %+v and %+v", one, two)
		}
	}
}

// CheckGrows fails the test where a revision counts less than one before. That
// holds where nothing was unloaded or corrected.
func (f *Follower) CheckGrows(t testing.TB) {
	t.Helper()
	all := f.byRevision()
	for i := 1; i < len(all); i++ {
		one, two := all[i-1], all[i]
		if one.Database == two.Database && (two.Rows < one.Rows || two.Rejected < one.Rejected || two.Dead < one.Dead) {
			t.Errorf("of two revisions the higher one counts less: %+v and %+v", one, two)
		}
	}
}

func (f *Follower) byRevision() []Snapshot {
	all := f.All()
	slices.SortFunc(all, func(a, b Snapshot) int {
		return cmp.Or(cmp.Compare(a.Database, b.Database), cmp.Compare(a.Revision, b.Revision))
	})
	return all
}

// committed is the snapshot of what the database has.
func committed(t testing.TB, env *harness.Env) Snapshot {
	t.Helper()
	var s Snapshot
	must(t, env.DB.QueryRow(t.Context(), `SELECT database::text, revision, rows, count, rows - count, rejected, dead,
			CASE WHEN count > 0 THEN sum::text ELSE '' END, coalesce(mean::text, ''), coalesce(min::text, ''),
			coalesce(max::text, ''), coalesce(stddev::text, ''), source
		FROM stats`).Scan(&s.Database, &s.Revision, &s.Rows, &s.Count, &s.Nulls, &s.Rejected, &s.Dead,
		&s.Sum, &s.Mean, &s.Min, &s.Max, &s.StdDev, &s.Source))
	return s
}

// CheckLast waits until the last snapshot heard is the database's: 2 s of quiet
// are promised, and as much again is given.
func (f *Follower) CheckLast(t testing.TB, env *harness.Env) Snapshot {
	t.Helper()
	var last Snapshot
	env.Promised(t, 4*time.Second).Eventually(t, "the last snapshot published is the database's", func() (bool, string) {
		all := f.All()
		if len(all) == 0 {
			return false, "nothing was published"
		}
		last = all[len(all)-1]
		want := committed(t, env)
		return last == want, fmt.Sprintf("%+v, the database's is %+v", last, want)
	})
	f.CheckHeard(t)
	return last
}

// settled is for how long the last snapshot of the stream has to be the database's,
// so that one which comes late is met.
const settled = time.Second

// CheckPublished waits until the last message of the stream STATS is the
// database's snapshot: that is what whoever subscribes next is given. The time
// promised begins when the stream answers: in a cluster that has just been whole
// again it may have no leader yet.
func CheckPublished(t testing.TB, env *harness.Env) {
	t.Helper()
	js := env.JetStream(t)
	kept := func() (s Snapshot, err error) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		stream, err := js.Stream(ctx, "STATS")
		if err != nil {
			return s, err
		}
		message, err := stream.GetLastMsgForSubject(ctx, "stats.price")
		if err != nil {
			return s, err
		}
		err = json.Unmarshal(message.Data, &s)
		return s, err
	}
	harness.Eventually(t, time.Minute, "the stream of snapshots answers", func() (bool, string) {
		_, err := kept()
		return err == nil || errors.Is(err, jetstream.ErrMsgNotFound), fmt.Sprint(err)
	})
	var since time.Time
	env.Promised(t, 4*time.Second+settled).Eventually(t, "the last snapshot in the stream stays the database's", func() (bool, string) {
		last, err := kept()
		if err != nil {
			return false, err.Error()
		}
		want := committed(t, env)
		if last != want {
			since = time.Time{}
		} else if since.IsZero() {
			since = time.Now()
		}
		return !since.IsZero() && time.Since(since) >= settled, fmt.Sprintf("%+v, the database's is %+v", last, want)
	})
}
