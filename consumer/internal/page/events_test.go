package page

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// readTimeout is a server's limit that a stream of events has to outlive.
const readTimeout = 2 * time.Second

func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestEventsBeginWithAllThereIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		w.Observe(at(1))
		w.Observe(at(2))
		one := w.watch(t)
		pass(apart)
		got := one.heard()
		if diff := cmp.Diff([]string{"hello", "course", "snapshot", "look"}, names(got)); diff != "" {
			t.Fatal("want -, got +", diff)
		}
		want := []message{
			{"hello", `{"build":"` + w.build + `","version":"1.2.3","starting":false}`},
			{"course", `{"database":"0b1f2c3d","points":[["1","9","53.1952054794520548"],["2","18","53.1952054794520548"]]}`},
			{"snapshot", `{"database":"0b1f2c3d","revision":"2","rows":"20","count":"18","nulls":"2","rejected":"0","dead":"0",` +
				`"sum":"90000000000000000001.10","mean":"53.1952054794520548","min":"-0.10","max":"9007199254740993.00","stddev":"25.0080933994322804","p50":"54.5","p95":"96.5","p99":"99.5",` +
				`"first":"2012-01-10T00:00:00Z","last":"2012-06-08T00:00:00Z","source":"bad.csv","updated_at":"2026-11-24T14:58:34.31919Z"}`},
			{"look", `{"rate":10,"queue":{"batches":"3","bytes":"1152921504606846976","oldest":0},` +
				`"recent":{"sources":"0","under_way":"0","loads":[],"rejects":[],"dead":[]}}`},
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(message{})); diff != "" {
			t.Error("want -, got +", diff)
		}
	})
}

func TestEventsComeTenTimesASecondAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		w.Observe(at(1))
		one := w.watch(t)
		pass(apart)
		one.heard()
		const long = 3 * time.Second
		for revision := int64(2); revision < 2+int64(long/time.Millisecond); revision++ {
			w.Observe(at(revision))
			pass(time.Millisecond)
		}
		pass(apart)
		got := one.heard("look", "beat")
		if n := len(got); n < 25 || n > 31 {
			t.Errorf("%d events in %s", n, long)
		}
		if last := got[len(got)-1]; !strings.Contains(last.data, `"revision":"3001"`) {
			t.Errorf("the last is %+v", last)
		}
	})
}

func TestTheWholeCourseComesAnewWhereItBeganAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		w.Observe(at(5))
		one := w.watch(t)
		pass(time.Second)
		one.heard()
		w.Observe(at(6))
		pass(apart)
		if diff := cmp.Diff([]string{"snapshot"}, names(one.heard("look"))); diff != "" {
			t.Error("as it goes on: want -, got +", diff)
		}
		w.Observe(at(2))
		pass(apart)
		got := one.heard("look")
		if diff := cmp.Diff([]string{"course", "snapshot"}, names(got)); diff != "" {
			t.Fatal("when rows were taken back: want -, got +", diff)
		}
		if strings.Contains(got[0].data, `"54"`) {
			t.Errorf("the course still has what was before: %s", got[0].data)
		}
		other := at(7)
		other.Database, other.Mean = "another", ""
		w.Observe(other)
		pass(apart)
		if diff := cmp.Diff(`{"database":"another","points":[]}`, one.heard("look")[0].data); diff != "" {
			t.Error("of another database: want -, got +", diff)
		}
	})
}

func TestAsksOnlyWhileSomeoneWatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		pass(time.Minute)
		if n := w.seen(); n != 0 {
			t.Errorf("looked %d times for nobody", n)
		}
		one, two := w.watch(t), w.watch(t)
		pass(10 * time.Second)
		if n := w.seen(); n < 9 || n > 11 {
			t.Errorf("looked %d times in 10 s for two", n)
		}
		one.leave()
		two.leave()
		pass(lookEvery)
		w.seen()
		pass(time.Minute)
		if n := w.seen(); n != 0 {
			t.Errorf("looked %d times after they left", n)
		}
		w.watch(t)
		pass(apart)
		if n := w.seen(); n != 1 {
			t.Errorf("looked %d times at once for who came then", n)
		}
	})
}

func TestOneThatDoesNotAnswerHidesNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		w.change(func(s *sources) { s.hangs = true })
		one := w.watch(t)
		pass(lookWithin + apart)
		if got := fmt.Sprint(one.heard("hello")); !strings.Contains(got, `"batches":"3"`) || !strings.Contains(got, `"recent":null`) {
			t.Errorf("PostgreSQL hangs: %s", got)
		}
		w.change(func(s *sources) { s.hangs, s.queueFail = false, errors.New("away") })
		pass(lookWithin + lookEvery)
		one.heard()
		pass(lookEvery)
		if got := fmt.Sprint(one.heard()); !strings.Contains(got, `"queue":null`) || !strings.Contains(got, `"sources":"0"`) {
			t.Errorf("NATS is away: %s", got)
		}
	})
}

func TestDistributionIsAskedForWhereThereIsNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		w.change(func(s *sources) { s.buckets = []Bucket{{9.9, 10.1, 3}, {99, 101, 1}} })
		s := at(1)
		s.Min, s.Max = "10", "100"
		w.Observe(s)
		one := w.watch(t)
		pass(5 * time.Second)
		const want = `{"log":false,"bars":[{"low":10,"high":15,"count":3},`
		got := one.heard("hello", "course", "snapshot", "look", "beat")
		if len(got) != 1 || got[0].name != "distribution" || !strings.HasPrefix(got[0].data, want) || !strings.HasSuffix(got[0].data, `{"low":95,"high":100,"count":1}]}`) {
			t.Errorf("got %v", got)
		}
		w.change(func(s *sources) {
			if s.counted != 1 {
				t.Errorf("asked %d times for the same prices", s.counted)
			}
			s.buckets = nil
		})
		w.Observe(at(2))
		pass(3 * time.Second)
		if got := one.heard("snapshot", "look", "beat"); got != nil {
			t.Errorf("while PostgreSQL is away: %v", got)
		}
		empty := at(0)
		empty.Min, empty.Max = "", ""
		w.Observe(empty)
		pass(3 * time.Second)
		if got := one.heard("course", "snapshot", "look", "beat"); len(got) != 1 || got[0].data != `{"log":false,"bars":null}` {
			t.Errorf("without prices: %v", got)
		}
	})
}

func TestSaysThatTheConsumerIsStarting(t *testing.T) {
	page, err := New("1.2.3", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(page)
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/events", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "data: ") {
	}
	if !strings.Contains(lines.Text(), `"starting":true`) {
		t.Errorf("%q", lines.Text())
	}
}

// A page that hears nothing for 8 s takes its connection for lost.
func TestNeverSilentForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		one := w.watch(t)
		for range 40 {
			one.heard()
			pass(beat + apart)
			if len(one.heard()) == 0 {
				t.Fatalf("nothing in %s", beat+apart)
			}
		}
	})
}

func TestWatchersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		var all []*watcher
		for range mostWatchers {
			all = append(all, w.watch(t))
		}
		got := w.get(t, "/events")
		if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
			t.Errorf("one too many: %+v", got)
		}
		all[0].leave()
		pass(time.Second)
		w.watch(t)
	})
}

func TestSlowWatcherIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		slow := w.open(t.Context(), t, "/events") // and never read
		defer slow.Body.Close()
		one := w.watch(t)
		for revision := range int64(20) {
			w.Observe(at(revision))
			pass(time.Second)
		}
		w.feed.mu.Lock()
		watchers := w.feed.watchers
		w.feed.mu.Unlock()
		if watchers != 1 {
			t.Errorf("%d watch, not the one that reads", watchers)
		}
		if got := one.heard("look"); len(got) < 20 {
			t.Errorf("the one that reads heard only %v", names(got))
		}
	})
}

func TestStopEndsTheStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		one := w.watch(t)
		pass(time.Second)
		w.stop()
		pass(apart)
		select {
		case <-one.ended:
		default:
			t.Error("the stream goes on")
		}
	})
}
