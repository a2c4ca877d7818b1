package simulation

import (
	"bytes"
	"context"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/streamgauge/streamgauge/shared/topology"
)

// subject is stats.price as one process sees it.
type subject struct {
	*process
	heard   chan *nats.Msg
	sent    uint64
	gotAt   time.Time // when the last line got to the process
	arrived time.Time // when the last one of the process got to the server
}

func (s *subject) Publish(line []byte) error {
	if err := s.awake(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.connected(); err != nil {
		return err
	}
	s.sent++
	about := []uint64{aboutSnapshot, uint64(s.consumer), uint64(s.life), s.sent}
	fate := s.fault(about...)
	if fate == lost || s.cut {
		s.notef("%s: revision %d is lost on its way", s, revision(line))
		return nil
	}
	// One connection keeps the order.
	at := later(time.Now().Add(s.latency(fate, about...)), s.arrived)
	s.arrived = at
	s.after(time.Until(at), func() {
		if !s.dead { // a connection ends with its process
			s.broker.publish(line)
		}
	})
	return nil
}

// publish is a line that has reached the server.
func (b *broker) publish(line []byte) {
	if b.down {
		return
	}
	b.notef("stats.price: revision %d", revision(line))
	b.heard = append(b.heard, revision(line))
	b.kept = line
	for _, p := range b.processes {
		s := p.stats
		if s.heard == nil || !p.reachable() {
			continue
		}
		about := []uint64{aboutSnapshot, uint64(p.consumer), uint64(p.life), uint64(len(b.heard)), 1}
		fate := b.fault(about...)
		if fate == lost {
			continue
		}
		at := later(time.Now().Add(b.latency(fate, about...)), s.gotAt)
		s.gotAt = at
		b.after(time.Until(at), func() {
			if s.heard != nil && s.reachable() && !s.broker.down {
				s.heard <- &nats.Msg{Subject: topology.SubjectStats, Data: line}
			}
		})
	}
}

func later(at, than time.Time) time.Time {
	if at.After(than) {
		return at
	}
	return than.Add(time.Nanosecond)
}

func (s *subject) Listen(heard chan *nats.Msg) (func(), error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = heard
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.heard = nil
	}, nil
}

func (s *subject) Kept(ctx context.Context) ([]byte, error) {
	if err := s.call(ctx, aboutKept); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.connected(); err != nil || s.cut {
		return nil, errDown
	}
	return s.broker.kept, nil
}

// revision reads that of a snapshot's line without the rest of it.
func revision(line []byte) int64 {
	_, rest, _ := bytes.Cut(line, []byte(`"revision":`))
	digits, _, _ := bytes.Cut(rest, []byte(","))
	n, err := strconv.ParseInt(string(digits), 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}
