package pipeline

import (
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/shared/stats"
)

func at(revision int64) *store.Result {
	return &store.Result{Snapshot: &stats.Snapshot{Metric: "price", Database: "d", Revision: revision, Source: "a\x1b.csv"}}
}

// Progress is told at once, then not more than once a second, and the last of
// it always.
func TestCounterTellsProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &journal{}
		c := newCounter(slog.New(j))
		began := time.Now()
		for revision := int64(1); revision <= 50; revision++ {
			c.committed(at(revision))
			<-time.After(100 * time.Millisecond)
		}
		<-time.After(time.Minute)
		told := j.said("committed")
		if len(told) < 5 || len(told) > 6 {
			t.Fatalf("told %d times in 5 s", len(told))
		}
		if wait := told[0].at.Sub(began); wait > 100*time.Millisecond {
			t.Errorf("told after %s for the first time", wait)
		}
		for i := 1; i < len(told); i++ {
			if pause := told[i].at.Sub(told[i-1].at); pause < reportEvery {
				t.Errorf("told again after %s", pause)
			}
		}
		if last := told[len(told)-1].fields["revision"]; last != "50" {
			t.Errorf("the last told is %s", last)
		}
		c.close()
		if n := len(j.said("committed")); n != len(told) {
			t.Error("told again what was told")
		}
	})
}

func TestCounterTellsTheRestAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &journal{}
		c := newCounter(slog.New(j))
		c.committed(at(2))
		synctest.Wait()
		c.committed(at(3))
		c.committed(at(1)) // of another writer, told of late
		c.committed(&store.Result{})
		c.close()
		told := j.said("committed")
		if len(told) != 2 || told[1].fields["revision"] != "3" {
			t.Errorf("told %v", told)
		}
		if len(j.said("stopped")) != 1 {
			t.Error("not told of the end")
		}
	})
}

func TestCounterRemindsOfEachSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &journal{}
		c := newCounter(slog.New(j))
		for range 100 {
			for n := range 3 {
				c.superseded(&store.Batch{Source: store.Source{Identity: fmt.Sprint(n), Name: "x.csv"}})
			}
			<-time.After(250 * time.Millisecond)
		}
		reminders := j.said("batches of a plan")
		if n := len(reminders); n != 9 { // three sources, three times in 25 s
			t.Errorf("%d reminders", n)
		}
		if len(c.reminded) > 3 {
			t.Errorf("%d sources are remembered", len(c.reminded))
		}
		<-time.After(time.Hour)
		c.refused(&store.Batch{Source: store.Source{Identity: "other"}})
		if len(c.reminded) != 1 {
			t.Errorf("%d sources are remembered after an hour", len(c.reminded))
		}
		c.close()
	})
}

func TestCounterTellsOfCompleteSources(t *testing.T) {
	j := &journal{}
	c := newCounter(slog.New(j))
	c.committed(&store.Result{Completed: []store.Source{{Name: "a.csv", Identity: "i", Batches: 3}}})
	c.close()
	told := j.said("source complete")
	if len(told) != 1 || told[0].fields["name"] != "a.csv" || told[0].fields["batches"] != "3" {
		t.Errorf("told %v", told)
	}
}
