package commit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamgauge/streamgauge/producer/internal/load"
	"github.com/streamgauge/streamgauge/shared/record"
	"github.com/streamgauge/streamgauge/shared/wire"
)

var plan = wire.Plan{Format: record.Format{Delimiter: ",", Fields: 3, Price: 1, UserID: 2}, BatchSize: 10}

// world is a stream and a consumer, as far as a Waiter sees them. The consumer
// acts when it is asked: what happens between two questions is the test's to say.
type world struct {
	*Waiter
	t        *testing.T
	stream   map[uint64]wire.Claim
	last     uint64
	ledger   map[int64]bool
	deadOnes []wire.DeadBatch
	stored   wire.Load // but Done, Rows and Missing

	silentFor time.Duration // from the start on
	blindFor  time.Duration // as long the stream does not answer
	start     time.Time
	bounds    int // looks at the stream
	looks     int // looks at a message
	sent      map[int64]int
	before    func() // each answer
	atLook    func() // each message looked at
	talk      bytes.Buffer
}

// build publishes batches 1 to batches, of 10 records each.
func build(t *testing.T, batches int64) *world {
	t.Helper()
	sequences, err := NewSequences()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sequences.Close() })
	source := wire.SourceID(sha256.Sum256(nil), "")
	w := &world{
		t:      t,
		start:  time.Now(),
		stream: make(map[uint64]wire.Claim), ledger: make(map[int64]bool), sent: make(map[int64]int),
		stored: wire.Load{Source: source, Plan: plan, Batches: batches},
	}
	w.Waiter = &Waiter{
		Ours:    &load.Ours{Source: source, Name: "a.csv", Plan: plan, Records: 10 * batches, Batches: batches},
		Service: w, Stream: w, Sequences: sequences, Resend: w.publish, Log: slog.New(slog.NewTextHandler(&w.talk, nil)),
	}
	if err := w.publish(t.Context(), []wire.Range{{First: 1, Last: batches}}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) publish(_ context.Context, list []wire.Range) error {
	for _, r := range list {
		for number := r.First; number <= r.Last; number++ {
			w.last++
			w.sent[number]++
			w.stream[w.last] = wire.Claim{Source: w.Ours.Source, Number: number}
			if err := w.Sequences.Set(number, w.last); err != nil {
				return err
			}
		}
	}
	return nil
}

// consume commits the first n messages of the stream, or sets them aside.
func (w *world) consume(n int, dies func(number int64) bool) {
	for _, sequence := range slices.Sorted(maps.Keys(w.stream)) {
		if n--; n < 0 {
			return
		}
		claim := w.stream[sequence]
		delete(w.stream, sequence)
		if claim.Source != w.Ours.Source {
			continue
		}
		if dies != nil && dies(claim.Number) {
			w.deadOnes = append([]wire.DeadBatch{{Number: claim.Number, Sequence: sequence, Reason: "poison"}}, w.deadOnes...)
			continue
		}
		w.ledger[claim.Number] = true
	}
}

func (w *world) lose() {
	w.stream = make(map[uint64]wire.Claim)
	w.last = 0
}

func (w *world) Ask(ctx context.Context, patience time.Duration, q wire.LoadRequest) (*wire.LoadReply, error) {
	if time.Since(w.start) < w.silentFor {
		select {
		case <-time.After(patience):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		return nil, &load.NoAnswerError{Cause: errors.New("no responders")}
	}
	if w.before != nil {
		w.before()
	}
	reply := &wire.LoadReply{Dead: slices.Clone(w.deadOnes)}
	if len(w.ledger) == 0 {
		return reply, nil
	}
	l := w.stored
	l.Done = int64(len(w.ledger))
	l.Rows = 10*l.Done - l.Rejected
	var missing ranges
	for number := int64(1); number <= w.Ours.Batches; number++ {
		if !w.ledger[number] {
			missing.add(number)
		}
	}
	l.MissingMore = len(missing) > q.Missing && q.Missing > 0
	l.Missing = missing[:min(len(missing), q.Missing)]
	reply.Load = &l
	return reply, nil
}

func (w *world) Bounds(context.Context) (first, last uint64, err error) {
	w.bounds++
	if time.Since(w.start) < w.blindFor {
		return 0, 0, errors.New("no leader")
	}
	if len(w.stream) == 0 {
		return w.last + 1, w.last, nil
	}
	return slices.Min(slices.Collect(maps.Keys(w.stream))), w.last, nil
}

func (w *world) At(_ context.Context, sequence uint64) (wire.Claim, error) {
	w.looks++
	if w.atLook != nil {
		w.atLook()
	}
	return w.stream[sequence], nil
}

// in runs test in a bubble of its own clock.
func in(t *testing.T, batches int64, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(build(t, batches)) })
}

// wait bounds Wait by a day.
func (w *world) wait() (*wire.Load, error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), 24*time.Hour)
	defer cancel()
	return w.Wait(ctx)
}

func (w *world) wantComplete() {
	w.t.Helper()
	stored, err := w.wait()
	if err != nil || !stored.Complete() || stored.Rows+stored.Rejected != w.Ours.Records {
		w.t.Fatalf("Wait = %+v, %v", stored, err)
	}
}

// wantSent checks how often each batch was sent, 1 where nothing is said.
func (w *world) wantSent(want map[int64]int) {
	w.t.Helper()
	for number := int64(1); number <= w.Ours.Batches; number++ {
		times := 1
		if n, given := want[number]; given {
			times = n
		}
		if w.sent[number] != times {
			w.t.Errorf("batch %d was sent %d times, want %d", number, w.sent[number], times)
		}
	}
}

func TestWaitsUntilAllIsCommitted(t *testing.T) {
	in(t, 100, func(w *world) {
		w.before = func() { w.consume(3, nil) }
		w.stored.Rejected = 4
		w.wantComplete()
		w.wantSent(nil)
		if w.bounds > 0 {
			w.t.Errorf("looked at the stream %d times, though there was progress all the time", w.bounds)
		}
	})
}

func TestSlowConsumerIsLeftAlone(t *testing.T) {
	in(t, 500, func(w *world) {
		w.before = func() {
			if time.Since(w.start) > time.Hour {
				w.consume(1000, nil)
			}
		}
		w.wantComplete()
		w.wantSent(nil)
		if perLook := float64(w.looks) / 2400; perLook > maxPresent+1 {
			w.t.Errorf("%.0f messages were looked at each time", perLook)
		}
		if lines := strings.Count(w.talk.String(), "waiting for the consumer: 0 of 500 batches committed"); lines < 600 || lines > 721 {
			w.t.Errorf("%d lines in an hour, want one every 5 s", lines)
		}
	})
}

func TestSilenceIsWaitedOut(t *testing.T) {
	in(t, 10, func(w *world) {
		w.silentFor = time.Hour
		w.before = func() { w.consume(10, nil) }
		w.wantComplete()
		w.wantSent(nil)
		if took := time.Since(w.start); took > time.Hour+5*time.Second {
			w.t.Errorf("noticed after %v", took-time.Hour)
		}
		if lines := strings.Count(w.talk.String(), "0 of 10 batches committed"); lines < 550 || lines > 721 {
			w.t.Errorf("%d lines in an hour, want one every 5 s", lines)
		}
		if !strings.Contains(w.talk.String(), "no consumer answers") {
			w.t.Errorf("it is not told that nobody answers")
		}
	})
}

// Whatever the broker loses is sent again, and only that.
func TestLostIsSentAgain(t *testing.T) {
	for name, c := range map[string]struct {
		happens func(w *world)
		again   []int64
	}{
		"everything":       {func(w *world) { w.lose() }, []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
		"what was left":    {func(w *world) { w.consume(7, nil); w.lose() }, []int64{8, 9, 10}},
		"one in the midst": {func(w *world) { delete(w.stream, 5) }, []int64{5}},
		"first and last":   {func(w *world) { delete(w.stream, 1); delete(w.stream, 10) }, []int64{1, 10}},
		"overwritten by others": {func(w *world) {
			w.stream[4] = wire.Claim{Source: wire.SourceID(sha256.Sum256([]byte("x")), ""), Number: 4}
		}, []int64{4}},
		"overwritten by itself":  {func(w *world) { w.stream[4] = w.stream[3] }, []int64{4}},
		"overwritten by garbage": {func(w *world) { w.stream[4] = wire.Claim{} }, []int64{4}},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, 10, func(w *world) {
				c.happens(w)
				want := make(map[int64]int)
				for _, number := range c.again {
					want[number] = 2
				}
				// Nothing is consumed before that, which would show the loss
				// in another way.
				w.before = func() {
					if !slices.ContainsFunc(c.again, func(number int64) bool { return w.sent[number] < 2 }) {
						w.consume(100, nil)
					}
				}
				w.wantComplete()
				w.wantSent(want)
			})
		})
	}
}

func TestStoreLostAgainAndAgain(t *testing.T) {
	in(t, 50, func(w *world) {
		start, lost := time.Now(), 0
		w.before = func() {
			w.consume(1, nil)
			if n := int(time.Since(start) / (3 * time.Second)); n > lost && lost < 10 {
				lost = n
				w.lose()
			}
		}
		w.wantComplete()
	})
}

// A batch that is committed between the two questions was never lost, though
// its message is gone.
func TestCommittedMeanwhileIsNotSentAgain(t *testing.T) {
	in(t, 10, func(w *world) {
		w.atLook = func() { w.consume(2, nil) }
		w.wantComplete()
		w.wantSent(nil)
	})
}

func TestBrokerThatDoesNotAnswerHasLostNothing(t *testing.T) {
	in(t, 10, func(w *world) {
		w.lose()
		w.blindFor = time.Minute
		w.before = func() {
			if w.sent[1] > 1 && time.Since(w.start) < w.blindFor {
				w.t.Errorf("sent again while the stream did not answer")
			}
			w.consume(10, nil)
		}
		w.wantComplete()
	})
}

func TestDeadIsSentTwiceMore(t *testing.T) {
	in(t, 10, func(w *world) {
		w.before = func() { w.consume(100, func(number int64) bool { return number == 3 || number == 7 }) }
		_, err := w.wait()
		var dead *DeadError
		if !errors.As(err, &dead) || len(dead.Batches) != 2 || dead.Batches[0].Number != 3 || dead.Batches[1].Number != 7 {
			w.t.Fatalf("error %v", err)
		}
		if dead.Load.Done != 8 || !strings.Contains(err.Error(), `2 batches were set aside by the consumer as dead, 3 times each: batch 3: "poison"; batch 7`) {
			w.t.Errorf("error %v, %+v", err, dead.Load)
		}
		w.wantSent(map[int64]int{3: 3, 7: 3})
	})
}

func TestDeadOnceIsCuredBySendingAgain(t *testing.T) {
	in(t, 10, func(w *world) {
		w.before = func() { w.consume(100, func(number int64) bool { return number == 3 && w.sent[3] == 1 }) }
		w.wantComplete()
		w.wantSent(map[int64]int{3: 2})
	})
}

// A death of an earlier run bears another sequence, and a batch whose message
// was lost is lost, whatever else died.
func TestEarlierDeathsDoNotCount(t *testing.T) {
	in(t, 10, func(w *world) {
		w.deadOnes = []wire.DeadBatch{{Number: 3, Sequence: 900}, {Number: 3, Sequence: 901}, {Number: 3, Sequence: 902}, {Sequence: 3}}
		delete(w.stream, 3)
		w.before = func() { w.consume(100, nil) }
		w.wantComplete()
		w.wantSent(map[int64]int{3: 2})
		if strings.Contains(w.talk.String(), "set aside") {
			w.t.Errorf("told:\n%s", &w.talk)
		}
	})
}

func TestAllDeadEndsEarly(t *testing.T) {
	in(t, 5000, func(w *world) {
		w.before = func() {
			w.consume(10_000, func(int64) bool { return true })
			w.deadOnes = w.deadOnes[:min(len(w.deadOnes), maxDead)]
		}
		start := time.Now()
		_, err := w.wait()
		var dead *DeadError
		if !errors.As(err, &dead) || len(dead.Batches) < maxLeft {
			w.t.Fatalf("error %v", err)
		}
		total := 0
		for _, n := range w.sent {
			total += n
		}
		if total > 5000+2*maxDead || time.Since(start) > time.Minute {
			w.t.Errorf("%d sent in %v", total, time.Since(start))
		}
	})
}

// What ends the wait although not all is committed.
func TestRefusals(t *testing.T) {
	other := wire.Load{Source: wire.SourceID(sha256.Sum256([]byte("x")), ""), Name: "a.csv"}
	for name, c := range map[string]struct {
		happens func(w *world)
		target  any
	}{
		"other batch size":  {func(w *world) { w.stored.Plan.BatchSize = 5 }, new(*load.OtherBatchSizeError)},
		"other format":      {func(w *world) { w.stored.Plan.DecimalComma = true }, new(*load.FormatError)},
		"other batches":     {func(w *world) { w.stored.Batches = 11 }, new(*load.CountError)},
		"records that lack": {func(w *world) { w.Ours.Records++; w.consume(10, nil) }, new(*load.CountError)},
		"name taken":        {func(w *world) { w.Service = takenName{other} }, new(*load.NameTakenError)},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, 10, func(w *world) {
				w.consume(1, nil)
				c.happens(w)
				if _, err := w.wait(); !errors.As(err, c.target) {
					w.t.Errorf("error %v, want %T", err, c.target)
				}
				w.wantSent(nil)
			})
		})
	}
}

type takenName struct{ by wire.Load }

func (n takenName) Ask(context.Context, time.Duration, wire.LoadRequest) (*wire.LoadReply, error) {
	return &wire.LoadReply{Named: []wire.Load{n.by}}, nil
}

func TestInterrupt(t *testing.T) {
	in(t, 10, func(w *world) {
		ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
		defer cancel()
		w.consume(4, nil)
		if _, err := w.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) || w.Done() != 4 {
			w.t.Errorf("error %v with %d done", err, w.Done())
		}
	})
}

func TestErrorOfResendEndsTheWait(t *testing.T) {
	in(t, 10, func(w *world) {
		w.lose()
		broken := errors.New("file changed")
		w.Resend = func(context.Context, []wire.Range) error { return broken }
		if _, err := w.wait(); !errors.Is(err, broken) {
			w.t.Errorf("error %v", err)
		}
	})
}
