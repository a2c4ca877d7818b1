package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/streamgauge/streamgauge/shared/topology"
)

func TestEveryMessageIsAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := set(t, nil)
		s.sendAll(t, 2000, 20)
		if s.broker.most > maxMessages || s.broker.most < maxMessages/2 {
			t.Errorf("%d messages were on their way at once, the window is %d", s.broker.most, maxMessages)
		}
		if s.broker.n != 2000 || s.broker.options != 2 {
			t.Errorf("%d publishes with %d options", s.broker.n, s.broker.options)
		}
	})
}

func TestBytesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := set(t, nil)
		s.sendAll(t, 300, 400<<10)
		if s.broker.mostOf > maxBytes {
			t.Errorf("%d bytes were on their way at once, more than %d", s.broker.mostOf, maxBytes)
		}
		if s.bytes != 0 || s.freed > maxFree {
			t.Errorf("%d bytes counted at the end, %d kept", s.bytes, s.freed)
		}
	})
}

// Failures that pass cost time only, whatever their mixture; each message is
// acknowledged at last, with its own body.
func TestFailuresThatPass(t *testing.T) {
	api := func(code jetstream.ErrorCode, text string) error {
		return &jetstream.APIError{Code: 503, ErrorCode: code, Description: text}
	}
	passing := []error{
		nats.ErrDisconnected, nats.ErrTimeout, jetstream.ErrAsyncPublishTimeout, jetstream.ErrNoStreamResponse,
		api(codeStoreFailed, "maximum bytes exceeded"), api(codeStoreFailed, "no space left on device"),
		api(10167, "too many requests"), api(10118, "stream is offline"), errors.New("anything else"),
	}
	for i, failure := range passing {
		t.Run(fmt.Sprint(failure), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := set(t, func(n int, _ string) reaction {
					switch {
					case n%3 == 0:
						return reaction{err: failure, after: time.Millisecond}
					case n%7 == 0:
						return reaction{atOnce: nats.ErrReconnectBufExceeded}
					}
					return reaction{after: time.Duration(i+n%5) * time.Millisecond}
				})
				s.sendAll(t, 1000, 20)
			})
		})
	}
}

func TestOutageIsWaitedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := set(t, func(int, string) reaction {
			if time.Since(start) < time.Hour {
				return reaction{atOnce: nats.ErrReconnectBufExceeded}
			}
			return reaction{after: time.Millisecond}
		})
		s.sendAll(t, 1000, 20)
		if took := time.Since(start); took > time.Hour+3*time.Second {
			t.Errorf("resumed %v after the outage", took-time.Hour)
		}
		if n := s.broker.n; n > 10_000 {
			t.Errorf("%d publishes during an hour's outage", n)
		}
		if lines := strings.Count(s.talk.String(), "waiting for the connection to NATS"); lines < 500 || lines > 721 {
			t.Errorf("%d lines in an hour, want one every 5 s", lines)
		}
	})
}

func TestFullStreamIsToldEvery5Seconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := set(t, func(int, string) reaction {
			if time.Since(start) < time.Minute {
				return reaction{err: &jetstream.APIError{Code: 503, ErrorCode: codeStoreFailed, Description: "maximum bytes exceeded"}, after: time.Millisecond}
			}
			return reaction{after: time.Millisecond}
		})
		s.sendAll(t, 10, 20)
		lines := strings.Count(s.talk.String(), "the stream ROWS is full (1.0 GiB): waiting for the consumer")
		if lines < 9 || lines > 12 {
			t.Errorf("%d lines in a minute:\n%s", lines, &s.talk)
		}
	})
}

// A slow sender rests between two messages: acks are taken in meanwhile, and what
// is in the way is told although no rest lasts as long as that takes.
func TestRestTakesInAcks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := set(t, nil)
		if err := s.send(t.Context(), 3, 20); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if err := s.Rest(t.Context(), start.Add(time.Second)); err != nil || time.Since(start) != time.Second {
			t.Errorf("rested %s, %v", time.Since(start), err)
		}
		if len(s.acked) != 3 {
			t.Errorf("%d of 3 acks taken in", len(s.acked))
		}
		if err := s.Rest(t.Context(), start); err != nil || time.Since(start) != time.Second {
			t.Errorf("rested until %s for what was over, %v", time.Since(start), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Rest(ctx, start.Add(time.Hour)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("interrupted: %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := set(t, func(int, string) reaction {
			if time.Since(start) < 20*time.Second {
				return reaction{err: &jetstream.APIError{ErrorCode: codeStoreFailed, Description: "maximum bytes exceeded"}, after: time.Millisecond}
			}
			return reaction{after: time.Millisecond}
		})
		for number := int64(1); number <= 40; number++ {
			if err := s.Send(t.Context(), number, nats.Header{}, fmt.Appendf(nil, "body %d ", number)); err != nil {
				t.Fatal(err)
			}
			if err := s.Rest(t.Context(), time.Now().Add(750*time.Millisecond)); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Flush(t.Context()); err != nil || s.Through() != 40 {
			t.Errorf("through %d, %v", s.Through(), err)
		}
		if lines := strings.Count(s.talk.String(), "is full"); lines < 3 || lines > 5 {
			t.Errorf("%d lines in 20 s:\n%s", lines, &s.talk)
		}
	})
}

// A message that failed is published again although no rest lasts as long as the
// pause before that.
func TestRestsShorterThanPauses(t *testing.T) {
	const outage, rest = 10 * time.Second, 100 * time.Millisecond
	for name, during := range map[string]reaction{
		"connection":     {atOnce: nats.ErrReconnectBufExceeded},
		"full":           {err: &jetstream.APIError{ErrorCode: codeStoreFailed, Description: "maximum bytes exceeded"}, after: time.Millisecond},
		"missing":        {err: jetstream.ErrNoStreamResponse, after: time.Millisecond},
		"slow to answer": {err: nats.ErrTimeout, after: 5 * rest / 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				s := set(t, func(int, string) reaction {
					if time.Since(start) < outage {
						return during
					}
					return reaction{after: time.Millisecond}
				})
				number := int64(1)
				for ; time.Since(start) < outage+3*time.Second; number++ {
					if err := s.Send(t.Context(), number, nats.Header{}, fmt.Appendf(nil, "body %d ", number)); err != nil {
						t.Fatal(err)
					}
					if err := s.Rest(t.Context(), time.Now().Add(rest)); err != nil {
						t.Fatal(err)
					}
				}
				if len(s.sent) > 1 {
					t.Errorf("3 s after the outage %d of %d messages are not acknowledged", len(s.sent), number-1)
				}
				if n := s.broker.n; n > 2*int(number)+30 {
					t.Errorf("%d publishes of %d messages", n, number-1)
				}
				if s.restores > 30 {
					t.Errorf("the stream was restored %d times", s.restores)
				}
			})
		})
	}
}

// What takes longer than a rest is not cut off where it would begin anew with the
// next one, and what it ends with is not lost.
func TestRestsShorterThanRestoring(t *testing.T) {
	mismatch := &topology.MismatchError{Kind: "stream", Name: "ROWS", Differences: []string{"its retention is limits"}}
	for name, failure := range map[string]error{"restored": nil, "unfit": mismatch} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				restored := false
				s := set(t, func(int, string) reaction {
					if !restored {
						return reaction{err: jetstream.ErrNoStreamResponse, after: time.Millisecond}
					}
					return reaction{after: time.Millisecond}
				})
				s.Window.restore = func(ctx context.Context) (int64, error) {
					select {
					case <-time.After(300 * time.Millisecond):
						restored = failure == nil
						return 1 << 30, failure
					case <-ctx.Done():
						return 0, ctx.Err()
					}
				}
				err := s.send(t.Context(), 3, 20)
				for start := time.Now(); err == nil && len(s.sent) > 0 && time.Since(start) < 5*time.Second; {
					err = s.Rest(t.Context(), time.Now().Add(100*time.Millisecond))
				}
				if !errors.Is(err, failure) || failure == nil && len(s.sent) > 0 {
					t.Errorf("error %v, want %v; %d messages are not acknowledged", err, failure, len(s.sent))
				}
			})
		})
	}
}

// An error of taking in an ack is told also when the rest is over by then.
func TestErrorOfAckedAtTheEndOfARest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := set(t, nil)
		full := errors.New("disk full")
		s.Begin(func(int64, uint64) error {
			<-time.After(time.Second)
			return full
		})
		if err := s.send(t.Context(), 1, 20); err != nil {
			t.Fatal(err)
		}
		if err := s.Rest(t.Context(), time.Now().Add(100*time.Millisecond)); !errors.Is(err, full) {
			t.Errorf("error %v, want %v", err, full)
		}
	})
}

func TestMomentaryFullnessIsNotTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := set(t, func(n int, _ string) reaction {
			if n%2 == 0 {
				return reaction{err: &jetstream.APIError{ErrorCode: codeStoreFailed, Description: "maximum bytes exceeded"}, after: time.Millisecond}
			}
			return reaction{after: time.Millisecond}
		})
		s.sendAll(t, 100, 20)
		if s.talk.Len() > 0 {
			t.Errorf("told:\n%s", &s.talk)
		}
	})
}

func TestMissingStreamIsRestored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s *setting
		s = set(t, func(int, string) reaction {
			if s.restores < 3 {
				return reaction{err: jetstream.ErrNoStreamResponse, after: time.Millisecond}
			}
			return reaction{after: time.Millisecond}
		})
		s.restore = func() error {
			if s.restores < 3 {
				return errors.New("no leader")
			}
			return nil
		}
		s.sendAll(t, 500, 20)
		if s.restores != 3 {
			t.Errorf("restored %d times", s.restores)
		}
	})
}

func TestFailuresThatDoNotPass(t *testing.T) {
	api := func(code jetstream.ErrorCode) error { return &jetstream.APIError{Code: 400, ErrorCode: code} }
	for name, c := range map[string]struct {
		failure, restore error
		deny             bool
		want             string
	}{
		"max_payload":      {failure: nats.ErrMaxPayload, want: "Raise its max_payload"},
		"closed":           {failure: nats.ErrConnectionClosed, want: "Run the same command again"},
		"max_msg_size":     {failure: api(codeMessageTooLarge), want: "--max-msg-size=-1"},
		"another's stream": {failure: api(codeStreamNotMatch), want: "belongs to a stream other than ROWS"},
		"sealed":           {failure: api(codeStreamSealed), want: "is sealed"},
		"stream unfit": {
			failure: jetstream.ErrNoStreamResponse,
			restore: &topology.MismatchError{Kind: "stream", Name: "ROWS", Differences: []string{"its retention is limits"}},
			want:    "its retention is limits",
		},
		"denied":               {failure: nats.ErrTimeout, deny: true, want: "NATS denies it"},
		"denied, never a word": {deny: true, want: "NATS denies it"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := set(t, func(n int, _ string) reaction {
					return reaction{err: c.failure, never: c.failure == nil, after: time.Millisecond}
				})
				s.restore = func() error { return c.restore }
				if c.deny {
					s.denial.Come(errors.New("Permissions Violation"))
				}
				err := s.send(t.Context(), 10, 20)
				if err == nil {
					err = s.Flush(t.Context())
				}
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("error %v, want %q", err, c.want)
				}
				if c.failure != nil && !c.deny && c.restore == nil && !errors.Is(err, c.failure) {
					t.Errorf("error %v hides its cause", err)
				}
			})
		})
	}
}

func TestInterrupt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := set(t, func(n int, _ string) reaction {
			switch {
			case n <= 100:
				return reaction{after: time.Millisecond}
			case n <= 110:
				return reaction{after: 2 * time.Second}
			case n == 111:
				return reaction{err: nats.ErrDisconnected, after: time.Millisecond}
			case n == 112:
				return reaction{after: time.Millisecond}
			}
			return reaction{never: true}
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := s.send(ctx, 1000, 20)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("error %v", err)
		}
		before := s.broker.n
		bounded, stop := context.WithTimeout(t.Context(), 5*time.Second)
		defer stop()
		start := time.Now()
		s.Abandon(bounded)
		if s.Through() != 110 {
			t.Errorf("stopped after %d, want 110: what was acknowledged without a gap", s.Through())
		}
		if s.broker.n != before {
			t.Errorf("%d publishes after the interrupt", s.broker.n-before)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("took %v", took)
		}
		if len(s.sent) != 0 || s.bytes != 0 {
			t.Errorf("the window holds %d messages, %d bytes", len(s.sent), s.bytes)
		}
	})
}

func TestErrorOfAckedEndsPublishing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := set(t, nil)
		full := errors.New("disk full")
		s.Begin(func(number int64, _ uint64) error {
			if number > 1 {
				return full
			}
			return nil
		})
		if err := s.send(t.Context(), 3, 20); err != nil {
			t.Fatal(err)
		}
		if err := s.Flush(t.Context()); !errors.Is(err, full) {
			t.Errorf("error %v", err)
		}
		// Another file may be sent then: nothing is waited for that has come.
		start := time.Now()
		s.Abandon(t.Context())
		if took := time.Since(start); took > time.Second || len(s.sent) != 0 || s.Through() != 1 {
			t.Errorf("%d messages are left after %v, acknowledged up to %d", len(s.sent), took, s.Through())
		}
	})
}

// Bodies may be written to again once they were acknowledged, and not before.
func TestBuffersComeBackAfterTheAck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := set(t, nil)
		for number := int64(1); number <= 2000; number++ {
			body := append(s.Buffer(), fmt.Sprintf("body %d ", number)...)
			if slices.ContainsFunc(s.sent, func(m *message) bool { return &m.msg.Data[0] == &body[0] }) {
				t.Fatalf("message %d got a body that is on its way", number)
			}
			if err := s.Send(t.Context(), number, nats.Header{}, body); err != nil {
				t.Fatal(err)
			}
		}
	})
}
