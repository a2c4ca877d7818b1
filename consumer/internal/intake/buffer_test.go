package intake

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/streamgauge/streamgauge/consumer/internal/decode"
	"github.com/streamgauge/streamgauge/shared/topology"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// receipt records what the server is told of one message.
type deliveryLog struct {
	mu         sync.Mutex
	acks, naks int
	inProgress []time.Time
	fail       error
}

func (r *deliveryLog) Ack() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.acks++
	return r.fail
}

func (r *deliveryLog) Nak() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.naks++
	return r.fail
}

func (r *deliveryLog) InProgress() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inProgress = append(r.inProgress, time.Now())
	return r.fail
}

// reports returns when the message was reported in progress.
func (r *deliveryLog) reports() []time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]time.Time(nil), r.inProgress...)
}

func put(b *buffer, data int) (*Message, *deliveryLog) {
	r := &deliveryLog{}
	content := decode.Message{Subject: "rows.price", Data: make([]byte, data)}
	m := &Message{Message: content, size: content.Size(), delivery: r, buffer: b, renewed: time.Now()}
	b.add(m)
	return m, r
}

func TestBufferKeepsTheOrder(t *testing.T) {
	b := newBuffer(1<<20, 10)
	first, _ := put(b, 1)
	second, _ := put(b, 1)
	if got, err := b.take(t.Context()); got != first || err != nil {
		t.Errorf("got %p, %v, want the first", got, err)
	}
	if got := b.tryTake(); got != second {
		t.Errorf("got %p, want the second", got)
	}
	if got := b.tryTake(); got != nil {
		t.Errorf("got %p of an empty buffer", got)
	}
}

func TestBufferTakeWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBuffer(1<<20, 10)
		var got *Message
		go func() { got, _ = b.take(t.Context()) }()
		synctest.Wait()
		if got != nil {
			t.Fatal("took from an empty buffer")
		}
		want, _ := put(b, 1)
		synctest.Wait()
		if got != want {
			t.Errorf("got %p, want %p", got, want)
		}

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if m, err := b.take(ctx); m != nil || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %p, %v", m, err)
		}
	})
}

func TestBufferRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBuffer(10_000, 3)
		const largest = 4000
		room := func(want bool, messages, bytes int) {
			t.Helper()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			gotMessages, gotBytes, err := b.room(ctx, largest)
			switch {
			case !want && !errors.Is(err, context.DeadlineExceeded):
				t.Errorf("room for %d messages, %d bytes, %v: want none", gotMessages, gotBytes, err)
			case want && (err != nil || gotMessages != messages || gotBytes != bytes):
				t.Errorf("room for %d messages, %d bytes, %v: want %d and %d", gotMessages, gotBytes, err, messages, bytes)
			}
		}
		room(true, 3, 10_000)
		first, _ := put(b, 2000)
		room(true, 2, 10_000-first.size)
		second, _ := put(b, 4000)
		room(false, 0, 0) // 3,000 bytes left are too few for the largest message
		taken, err := b.take(t.Context())
		if taken != first || err != nil {
			t.Fatal("took another message")
		}
		room(false, 0, 0) // what was taken is still held
		if err := first.Ack(); err != nil {
			t.Fatal(err)
		}
		room(true, 2, 10_000-second.size)
		third, _ := put(b, 0)
		fourth, _ := put(b, 0)
		room(false, 0, 0) // three messages are held
		got := make(chan int, 1)
		go func() {
			messages, _, _ := b.room(t.Context(), largest)
			got <- messages
		}()
		synctest.Wait()
		for _, m := range []*Message{third, third, first} { // a second drop frees nothing
			b.drop(m)
		}
		synctest.Wait()
		if messages := <-got; messages != 1 {
			t.Errorf("woken with room for %d", messages)
		}
		b.drop(fourth)
		b.drop(second)
		room(true, 3, 10_000)
	})
}

func TestBufferCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBuffer(1<<20, 1000)
		var held []*Message
		bytes := 0
		for range rapid.IntRange(0, 50).Draw(t, "steps") {
			if len(held) == 0 || rapid.Bool().Draw(t, "add") {
				m, _ := put(b, rapid.IntRange(0, 1000).Draw(t, "size"))
				held, bytes = append(held, m), bytes+m.size
				continue
			}
			i := rapid.IntRange(0, len(held)-1).Draw(t, "which")
			m := held[i]
			held, bytes = append(held[:i:i], held[i+1:]...), bytes-m.size
			if rapid.Bool().Draw(t, "ack") {
				_ = m.Ack()
			} else {
				_ = m.Release()
			}
			b.drop(m)
		}
		if len(b.held) != len(held) || b.bytes != bytes {
			t.Fatalf("%d messages, %d bytes held; want %d and %d", len(b.held), b.bytes, len(held), bytes)
		}
	})
}

func TestMessageTellsTheServer(t *testing.T) {
	b := newBuffer(1<<20, 10)
	m, r := put(b, 1)
	if err := m.Ack(); err != nil || r.acks != 1 || r.naks != 0 {
		t.Errorf("acked: %v, %d acks, %d naks", err, r.acks, r.naks)
	}
	m, r = put(b, 1)
	r.fail = nats.ErrConnectionClosed
	if err := m.Release(); !errors.Is(err, nats.ErrConnectionClosed) || r.acks != 0 || r.naks != 1 {
		t.Errorf("released: %v, %d acks, %d naks", err, r.acks, r.naks)
	}
	if len(b.held) != 0 {
		t.Error("a message is held although the server could not be told")
	}
}

// What is held, taken or not, is reported in progress often enough that the
// server never delivers it again, and no longer once it has left.
func TestBufferKeepsInProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBuffer(1<<20, 10)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- b.keepInProgress(ctx) }()

		received := time.Now()
		taken, takenReceipt := put(b, 1)
		_, waitingReceipt := put(b, 1)
		waitingReceipt.fail = nats.ErrConnectionReconnecting // it goes on all the same
		if m := b.tryTake(); m != taken {
			t.Fatal("took another message")
		}
		const held = 20 * time.Second
		<-time.After(held)
		synctest.Wait()
		for name, r := range map[string]*deliveryLog{"taken": takenReceipt, "waiting": waitingReceipt} {
			last := received
			for _, at := range append(r.reports(), received.Add(held)) {
				if gap := at.Sub(last); gap > topology.InProgressEvery {
					t.Errorf("%s: nothing reported for %s", name, gap)
				}
				last = at
			}
			if n := len(r.reports()); n > int(held/time.Second) {
				t.Errorf("%s: reported %d times in %s", name, n, held)
			}
		}

		before := len(takenReceipt.reports())
		_ = taken.Ack()
		<-time.After(held)
		synctest.Wait()
		if n := len(takenReceipt.reports()); n != before {
			t.Errorf("reported %d times after it was acknowledged", n-before)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestBufferClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBuffer(1<<20, 10)
		taken, takenReceipt := put(b, 1)
		_, waitingReceipt := put(b, 1)
		waitingReceipt.fail = nats.ErrConnectionClosed
		_, lastReceipt := put(b, 1)
		if b.tryTake() != taken {
			t.Fatal("took another message")
		}
		b.close()
		if waitingReceipt.naks != 1 || lastReceipt.naks != 1 {
			t.Errorf("given back %d and %d times what nobody took", waitingReceipt.naks, lastReceipt.naks)
		}
		if takenReceipt.naks != 0 || len(b.held) != 1 {
			t.Error("given back what someone works on")
		}
		if m, err := b.take(t.Context()); m != nil || err != nil {
			t.Errorf("got %p, %v after the end", m, err)
		}

		b = newBuffer(1<<20, 10)
		var ended atomic.Int32
		for range 3 {
			go func() {
				if m, err := b.take(t.Context()); m == nil && err == nil {
					ended.Add(1)
				}
			}()
		}
		synctest.Wait()
		b.close()
		synctest.Wait()
		if n := ended.Load(); n != 3 {
			t.Errorf("%d of 3 who waited were told of the end", n)
		}
	})
}

// What nobody took goes back; the buffer goes on.
func TestBufferGiveBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBuffer(1<<20, 10)
		taken, takenReceipt := put(b, 1)
		_, waitingReceipt := put(b, 1)
		if b.tryTake() != taken {
			t.Fatal("took another message")
		}
		b.giveBack()
		b.giveBack()
		if waitingReceipt.naks != 1 || takenReceipt.naks != 0 {
			t.Errorf("given back %d times what nobody took, %d times what someone works on", waitingReceipt.naks, takenReceipt.naks)
		}
		if m := b.tryTake(); m != nil {
			t.Error("what was given back is still at hand")
		}
		var drained atomic.Bool
		go func() { drained.Store(b.drained(t.Context()) == nil) }()
		synctest.Wait()
		if drained.Load() {
			t.Error("drained with a message in hand")
		}
		_ = taken.Ack()
		synctest.Wait()
		if !drained.Load() {
			t.Error("not drained with nothing in hand")
		}
		again, _ := put(b, 1)
		if m, err := b.take(t.Context()); m != again || err != nil {
			t.Errorf("got %p, %v: the buffer is closed", m, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.drained(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

func TestBufferConcurrently(t *testing.T) {
	const messages, takers = 2000, 4
	b := newBuffer(1<<20, 50)
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := make(map[*Message]int)
	for range takers {
		wg.Go(func() {
			for {
				m, err := b.take(t.Context())
				if m == nil || err != nil {
					return
				}
				mu.Lock()
				seen[m]++
				done := len(seen) == messages
				mu.Unlock()
				_ = m.Ack()
				if done {
					b.close()
				}
			}
		})
	}
	for range messages {
		free, _, err := b.room(t.Context(), 1024)
		if err != nil || free < 1 || free > 50 {
			t.Fatalf("room for %d, %v", free, err)
		}
		put(b, 1)
	}
	wg.Wait()
	for m, times := range seen {
		if times != 1 {
			t.Errorf("%p was taken %d times", m, times)
		}
	}
	if len(b.held) != 0 || b.bytes != 0 {
		t.Errorf("%d messages, %d bytes are still held", len(b.held), b.bytes)
	}
}
