package commit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamgauge/streamgauge/producer/internal/load"
	"github.com/streamgauge/streamgauge/shared/record"
	"github.com/streamgauge/streamgauge/shared/wire"
)

const listTime = 5 * time.Second

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
	// unlistedFor is as long no question about what is missing is answered, which
	// takes listTime to find out.
	unlistedFor time.Duration
	lists       int           // such questions
	blindFor    time.Duration // as long the stream does not answer
	start       time.Time
	bounds      int // looks at the stream
	looks       int // looks at a message
	sent        map[int64]int
	before      func() // each answer
	atLook      func() // each message looked at
	talk        bytes.Buffer
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
	if q.Missing > 0 {
		w.lists++
		if time.Since(w.start) < w.unlistedFor {
			select {
			case <-time.After(listTime):
			case <-ctx.Done():
				return nil, ctx.Err()
			}
			return nil, &load.NoAnswerError{Cause: context.DeadlineExceeded}
		}
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
