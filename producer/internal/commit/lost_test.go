package commit

import (
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/shared/wire"
)

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
			w.deadOnes = w.deadOnes[:min(len(w.deadOnes), wire.MaxDead)]
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
		if total > 5000+2*wire.MaxDead || time.Since(start) > time.Minute {
			w.t.Errorf("%d sent in %v", total, time.Since(start))
		}
	})
}

// In a stream that was made anew a batch can get the sequence at which it was
// set aside in the one before. It has not died again when that stream is lost
// too.
func TestDeadOfAnEarlierStream(t *testing.T) {
	in(t, 10, func(w *world) {
		lost := 1
		w.before = func() {
			switch times := w.sent[5]; {
			case times == 1:
				w.consume(100, func(number int64) bool { return number == 5 })
			case times > 4:
				w.consume(100, nil)
			case times > lost:
				lost = times
				w.lose()
				w.last = 4
			}
		}
		w.wantComplete()
		w.wantSent(map[int64]int{5: 5})
	})
}
