package consume

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/streamgauge/streamgauge/consumer/internal/metrics"
	"github.com/streamgauge/streamgauge/consumer/internal/page"
)

// asked is a JetStream with one stream, and counts the questions.
type asked struct {
	jetstream.JetStream

	info  *jetstream.StreamInfo
	err   error
	times int
}

func (a *asked) Stream(context.Context, string) (jetstream.Stream, error) {
	a.times++
	return stream{info: a.info}, a.err
}

type stream struct {
	jetstream.Stream

	info *jetstream.StreamInfo
}

func (s stream) CachedInfo() *jetstream.StreamInfo { return s.info }

// TestQueueIsAskedOnceForAll: page and metrics share an answer, and a failure,
// for as long as it is fresh.
func TestQueueIsAskedOnceForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		js := &asked{info: &jetstream.StreamInfo{
			Config:    jetstream.StreamConfig{MaxBytes: 1 << 30},
			State:     jetstream.StreamState{Msgs: 3, Bytes: 500, FirstTime: time.Unix(100, 0)},
			TimeStamp: time.Unix(107, 0),
		}}
		q := &queue{js: js}
		for range 5 {
			shown, err := shownQueue{q}.Backlog(t.Context())
			if diff := cmp.Diff(page.Backlog{Batches: 3, Bytes: 500, Oldest: 7 * time.Second}, shown); err != nil || diff != "" {
				t.Error(err, "want -, got +", diff)
			}
			measured, err := measuredQueue{q}.Backlog(t.Context())
			if diff := cmp.Diff(metrics.Backlog{Messages: 3, Bytes: 500, Limit: 1 << 30, Oldest: 7 * time.Second}, measured); err != nil || diff != "" {
				t.Error(err, "want -, got +", diff)
			}
		}
		if js.times != 1 {
			t.Errorf("asked %d times", js.times)
		}

		<-time.After(fresh)
		js.err = context.DeadlineExceeded
		for range 5 {
			if _, err := (measuredQueue{q}).Backlog(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		}
		if js.times != 2 {
			t.Errorf("asked %d times", js.times)
		}

		<-time.After(fresh)
		js.err = jetstream.ErrStreamNotFound
		if shown, err := (shownQueue{q}).Backlog(t.Context()); err != nil || shown != (page.Backlog{}) {
			t.Error("without a stream:", shown, err)
		}
		if measured, err := (measuredQueue{q}).Backlog(t.Context()); err != nil || measured != (metrics.Backlog{}) {
			t.Error("without a stream:", measured, err)
		}

		<-time.After(fresh)
		js.err, js.info = nil, &jetstream.StreamInfo{Config: jetstream.StreamConfig{MaxBytes: -1}, TimeStamp: time.Unix(107, 0)}
		if measured, err := (measuredQueue{q}).Backlog(t.Context()); err != nil || measured != (metrics.Backlog{}) {
			t.Error("empty, without a limit:", measured, err)
		}
	})
}
