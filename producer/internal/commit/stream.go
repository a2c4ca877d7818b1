package commit

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/streamgauge/streamgauge/shared/topology"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// RowsStream looks into the stream ROWS. It is not safe for concurrent use.
type RowsStream struct {
	js     jetstream.JetStream
	stream jetstream.Stream // as Bounds last found it; nil when there was none
}

// NewRowsStream returns the stream as js sees it.
func NewRowsStream(js jetstream.JetStream) *RowsStream { return &RowsStream{js: js} }

// Bounds implements Stream.
func (s *RowsStream) Bounds(ctx context.Context) (first, last uint64, err error) {
	s.stream, err = s.js.Stream(ctx, topology.StreamRows)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		s.stream = nil
		return 1, 0, nil
	}
	if err != nil {
		return 0, 0, err
	}
	state := s.stream.CachedInfo().State
	return state.FirstSeq, state.LastSeq, nil
}

// At implements Stream.
func (s *RowsStream) At(ctx context.Context, sequence uint64) (wire.Claim, error) {
	if s.stream == nil {
		return wire.Claim{}, nil
	}
	msg, err := s.stream.GetMsg(ctx, sequence)
	if errors.Is(err, jetstream.ErrMsgNotFound) || errors.Is(err, jetstream.ErrStreamNotFound) {
		return wire.Claim{}, nil
	}
	if err != nil {
		return wire.Claim{}, err
	}
	return wire.ReadClaim(msg.Header), nil
}
