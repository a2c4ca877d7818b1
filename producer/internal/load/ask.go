// Package load is what the producer knows of a load through the consumers'
// micro service: it asks, and decides what the answer means for a source that
// is about to be sent or was sent.
package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/streamgauge/streamgauge/producer/internal/escape"
	"github.com/streamgauge/streamgauge/shared/stats"
	"github.com/streamgauge/streamgauge/shared/topology"
	"github.com/streamgauge/streamgauge/shared/wire"
)

const (
	// retryEvery is the pause between two questions while nobody listens.
	retryEvery = 100 * time.Millisecond
	// answerWithin bounds one question: of several consumers the one that is
	// asked may hang, and the next question goes to another.
	answerWithin = 600 * time.Millisecond
	// listedWithin bounds one about what is missing, which takes a consumer the
	// longer the more batches there are.
	listedWithin = topology.AnswerTimeout + answerWithin
)

// Requester sends one request and returns its reply: *nats.Conn.
type Requester interface {
	RequestMsgWithContext(ctx context.Context, msg *nats.Msg) (*nats.Msg, error)
}

// Service asks whichever consumer answers. It is safe for concurrent use.
type Service struct {
	// Denied, unless nil, is why NATS does not let questions about loads through,
	// nil while it does. It answers nothing to what it denies.
	Denied func() error

	conn Requester
}

// NewService returns a Service over conn.
func NewService(conn Requester) *Service { return &Service{conn: conn} }

// Ask puts the question until it is answered, for as long as patience lasts. One
// about missing batches that was put by then keeps the time that a consumer has for
// it. Without an answer the error is a *NoAnswerError, or that of Denied; when ctx
// ends, ctx's own.
func (s *Service) Ask(ctx context.Context, patience time.Duration, about wire.LoadRequest) (*wire.LoadReply, error) {
	data, err := json.Marshal(about)
	if err != nil {
		return nil, fmt.Errorf("encode the question about a load: %w", err)
	}
	var reply *wire.LoadReply
	err = s.untilAnswered(ctx, patience, question{topology.SubjectLoad, data, about.Missing > 0}, func(answer []byte) (err error) {
		reply, err = readLoad(answer)
		return err
	})
	if err != nil {
		return nil, err
	}
	return reply, nil
}

// Snapshot asks for the running statistics, with errors as Ask's.
func (s *Service) Snapshot(ctx context.Context, patience time.Duration) (*stats.Snapshot, error) {
	var snapshot stats.Snapshot
	err := s.untilAnswered(ctx, patience, question{subject: topology.SubjectSnapshot}, func(answer []byte) (err error) {
		snapshot, err = stats.Decode(answer)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &snapshot, nil
}

type question struct {
	subject string
	data    []byte
	lists   bool // what is missing
}

func (s *Service) untilAnswered(ctx context.Context, patience time.Duration, q question, read func([]byte) error) error {
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	asking, within := bounded, answerWithin
	if q.lists {
		asking, within = ctx, listedWithin
	}
	pause := time.NewTicker(retryEvery)
	defer pause.Stop()
	var cause error // of the last question that had its time
	for {
		err := s.askOnce(asking, within, q, read)
		if err == nil {
			return nil
		}
		if cause == nil || bounded.Err() == nil {
			cause = err
		}
		if s.Denied != nil && q.subject == topology.SubjectLoad {
			if err := s.Denied(); err != nil {
				return err
			}
		}
		select {
		case <-bounded.Done():
		case <-pause.C:
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case bounded.Err() != nil:
			return &NoAnswerError{Cause: cause}
		}
	}
}

func (s *Service) askOnce(ctx context.Context, within time.Duration, q question, read func([]byte) error) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	msg, err := s.conn.RequestMsgWithContext(ctx, &nats.Msg{Subject: q.subject, Data: q.data})
	if err != nil {
		return err
	}
	if code := msg.Header.Get(micro.ErrorCodeHeader); code != "" {
		return &answeredError{escape.Name(msg.Header.Get(micro.ErrorHeader))}
	}
	return read(msg.Data)
}

func readLoad(answer []byte) (*wire.LoadReply, error) {
	reply := new(wire.LoadReply)
	if err := json.Unmarshal(answer, reply); err != nil {
		return nil, fmt.Errorf("the consumer's answer can't be read: %w", err)
	}
	if reply.Load != nil && !possible(reply.Load) {
		return nil, errors.New("the consumer's answer can't be: its numbers contradict each other")
	}
	return reply, nil
}

// possible says whether a load's numbers can stand together. What is sent for an
// answer, and for how long it is looked for, rests on them.
func possible(l *wire.Load) bool {
	if l.Done < 0 || l.Done > l.Batches || l.Rows < 0 || l.Rejected < 0 {
		return false
	}
	last := int64(0)
	for _, r := range l.Missing {
		if r.First <= last || r.Last < r.First || r.Last > l.Batches {
			return false
		}
		last = r.Last
	}
	return true
}
