package load

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/streamgauge/streamgauge/shared/topology"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// requester answers with what answer gives for the n-th request, from 1.
type requester struct {
	requests int
	answer   func(ctx context.Context, n int) (*nats.Msg, error)
}

func (r *requester) RequestMsgWithContext(ctx context.Context, msg *nats.Msg) (*nats.Msg, error) {
	if msg.Subject != topology.SubjectLoad {
		return nil, errors.New("asked on " + msg.Subject)
	}
	r.requests++
	return r.answer(ctx, r.requests)
}

func silent(ctx context.Context, _ int) (*nats.Msg, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func nobody(context.Context, int) (*nats.Msg, error) { return nil, nats.ErrNoResponders }

func after(failures int, first func(context.Context, int) (*nats.Msg, error), data string) func(context.Context, int) (*nats.Msg, error) {
	return func(ctx context.Context, n int) (*nats.Msg, error) {
		if n <= failures {
			return first(ctx, n)
		}
		return &nats.Msg{Data: []byte(data)}, nil
	}
}

func TestAskIsAnswered(t *testing.T) {
	broken := func(context.Context, int) (*nats.Msg, error) {
		return &nats.Msg{Header: nats.Header{micro.ErrorCodeHeader: {"500"}, micro.ErrorHeader: {"database down"}}}, nil
	}
	for name, answer := range map[string]func(context.Context, int) (*nats.Msg, error){
		"at once":             after(0, nil, `{"load":{"batches":9,"done":7}}`),
		"once somebody is up": after(5, nobody, `{"load":{"batches":9,"done":7}}`),
		"after an error":      after(3, broken, `{"load":{"batches":9,"done":7}}`),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				reply, err := NewService(&requester{answer: answer}).Ask(t.Context(), 2*time.Second, wire.LoadRequest{})
				if err != nil || reply.Load.Done != 7 {
					t.Errorf("%+v, %v", reply, err)
				}
			})
		})
	}
}

func TestAskGivesUpInTime(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(context.Context, int) (*nats.Msg, error)
		want   string
	}{
		"nobody":                   {nobody, "no consumer is running: start 'consumer'"},
		"silence":                  {silent, "no consumer answers: see its log, or start 'consumer'"},
		"nonsense":                 {after(0, nil, "{"), "can't be read"},
		"more done than there are": {after(0, nil, `{"load":{"batches":9,"done":10}}`), "can't be: its numbers"},
		"missing twice":            {after(0, nil, `{"load":{"batches":9,"missing":[{"first":1,"last":2},{"first":2,"last":3}]}}`), "can't be: its numbers"},
		"missing beyond the last":  {after(0, nil, `{"load":{"batches":9,"missing":[{"first":9,"last":10}]}}`), "can't be: its numbers"},
		"an error": {func(context.Context, int) (*nats.Msg, error) {
			return &nats.Msg{Header: nats.Header{micro.ErrorCodeHeader: {"500"}, micro.ErrorHeader: {"down\x1b[2J"}}}, nil
		}, `the consumer answered: "down\x1b[2J"`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				_, err := NewService(&requester{answer: c.answer}).Ask(t.Context(), 2*time.Second, wire.LoadRequest{})
				var silence *NoAnswerError
				if !errors.As(err, &silence) || !strings.Contains(err.Error(), c.want) {
					t.Errorf("error %v, want a *NoAnswerError with %q", err, c.want)
				}
				if took := time.Since(start); took != 2*time.Second {
					t.Errorf("gave up after %v", took)
				}
			})
		})
	}
}

// Which batches are missing takes a consumer the longer the more there are: it is
// given its own time, and not taken for one that hangs.
func TestWhatIsMissingMayTakeLonger(t *testing.T) {
	answersAfter := func(d time.Duration) func(context.Context, int) (*nats.Msg, error) {
		return func(ctx context.Context, _ int) (*nats.Msg, error) {
			select {
			case <-time.After(d):
				return &nats.Msg{Data: []byte(`{"load":{"batches":9,"done":7}}`)}, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
	}
	for name, c := range map[string]struct {
		answer   func(context.Context, int) (*nats.Msg, error)
		missing  int
		patience time.Duration
		takes    time.Duration
		requests int
		silent   bool
	}{
		"what is missing":                  {answersAfter(topology.AnswerTimeout), wire.MaxMissing, 2 * time.Second, topology.AnswerTimeout, 1, false},
		"what is missing, late":            {answersAfter(topology.AnswerTimeout + 2*answerWithin), wire.MaxMissing, 2 * time.Second, topology.AnswerTimeout + answerWithin, 1, true},
		"what is missing, the first hangs": {after(1, silent, `{"load":{"batches":9,"done":7}}`), wire.MaxMissing, 10 * time.Second, topology.AnswerTimeout + answerWithin, 2, false},
		"what is missing, nobody is there": {nobody, wire.MaxMissing, 2050 * time.Millisecond, 2050 * time.Millisecond, 21, true},
		"how much is done":                 {answersAfter(time.Second), 0, 2 * time.Second, 2 * time.Second, 4, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start, r := time.Now(), &requester{answer: c.answer}
				_, err := NewService(r).Ask(t.Context(), c.patience, wire.LoadRequest{Missing: c.missing})
				if _, silence := errors.AsType[*NoAnswerError](err); silence != c.silent || err != nil && !silence {
					t.Errorf("error %v", err)
				}
				if took := time.Since(start); took != c.takes || r.requests != c.requests {
					t.Errorf("took %v and %d questions, want %v and %d", took, r.requests, c.takes, c.requests)
				}
			})
		})
	}
}

func TestAskIsInterruptible(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := NewService(&requester{answer: nobody}).Ask(ctx, time.Minute, wire.LoadRequest{})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		if _, silence := errors.AsType[*NoAnswerError](err); silence {
			t.Errorf("an interrupt counts as silence: %v", err)
		}
	})
}
