package publish

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/streamgauge/streamgauge/shared/topology"
)

// broker is a stream whose answers a test decides. It keeps the bodies it
// acknowledged by their sequence, copied when they were published.
type broker struct {
	// answer decides about the n-th publish, from 1; it runs before the publish
	// returns. nil acknowledges after 1 ms.
	answer func(n int, body string) reaction

	mu      sync.Mutex // what follows is also written as acks arrive
	n       int
	flying  int
	most    int
	bytes   int
	mostOf  int
	stored  []string
	options int
}

type reaction struct {
	atOnce error // PublishMsgAsync's own error
	err    error // the future's error
	never  bool
	after  time.Duration
}

type future struct {
	ok  chan *jetstream.PubAck
	err chan error
	msg *nats.Msg
}

func (f *future) Ok() <-chan *jetstream.PubAck { return f.ok }
func (f *future) Err() <-chan error            { return f.err }
func (f *future) Msg() *nats.Msg               { return f.msg }

func (b *broker) PublishMsgAsync(msg *nats.Msg, opts ...jetstream.PublishOpt) (jetstream.PubAckFuture, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.n++
	b.options = len(opts)
	body := string(msg.Data)
	r := reaction{after: time.Millisecond}
	if b.answer != nil {
		r = b.answer(b.n, body)
	}
	if r.atOnce != nil {
		return nil, r.atOnce
	}
	f := &future{make(chan *jetstream.PubAck, 1), make(chan error, 1), msg}
	b.flying++
	b.bytes += cap(msg.Data)
	b.most, b.mostOf = max(b.most, b.flying), max(b.mostOf, b.bytes)
	if r.never {
		return f, nil
	}
	size := cap(msg.Data)
	time.AfterFunc(r.after, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.flying--
		b.bytes -= size
		if r.err != nil {
			f.err <- r.err
			return
		}
		b.stored = append(b.stored, body)
		f.ok <- &jetstream.PubAck{Stream: topology.StreamRows, Sequence: uint64(len(b.stored))}
	})
	return f, nil
}

// setting is a window on a broker, and what was told.
type setting struct {
	*Window
	broker   *broker
	denial   *Denial
	talk     bytes.Buffer
	restores int
	restore  func() error
	acked    []string // body of each acknowledged number, in order
}

func set(t *testing.T, answer func(n int, body string) reaction) *setting {
	t.Helper()
	s := &setting{broker: &broker{answer: answer}, denial: NewDenial()}
	log := slog.New(slog.NewTextHandler(&s.talk, nil))
	s.Window = NewWindow(s.broker, func(context.Context) (int64, error) {
		s.restores++
		if s.restore != nil {
			return 0, s.restore()
		}
		return 1 << 30, nil
	}, 1<<30, s.denial, log)
	s.Begin(func(number int64, sequence uint64) error {
		s.broker.mu.Lock()
		defer s.broker.mu.Unlock()
		body := s.broker.stored[sequence-1]
		if want := fmt.Sprintf("body %d", number); !strings.HasPrefix(body, want+" ") {
			t.Errorf("message %d was acknowledged with %.20q", number, body)
		}
		s.acked = append(s.acked, body)
		return nil
	})
	return s
}

// send sends messages 1 to last of about size bytes each.
func (s *setting) send(ctx context.Context, last int64, size int) error {
	for number := int64(1); number <= last; number++ {
		body := append(s.Buffer(), fmt.Sprintf("body %d ", number)...)
		body = append(body, strings.Repeat("x", max(0, size-len(body)))...)
		if err := s.Send(ctx, number, nats.Header{}, body); err != nil {
			return err
		}
	}
	return nil
}

func (s *setting) sendAll(t *testing.T, last int64, size int) {
	t.Helper()
	if err := s.send(t.Context(), last, size); err != nil {
		t.Fatal(err)
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if int64(len(s.acked)) != last || s.Through() != last {
		t.Errorf("%d of %d acknowledged, through %d", len(s.acked), last, s.Through())
	}
}
