package consume

import (
	"context"

	"github.com/streamgauge/streamgauge/consumer/internal/intake"
	"github.com/streamgauge/streamgauge/consumer/internal/pipeline"
)

// source is the intake as the pipeline knows it. It keeps a nil *Message
// from becoming a Message that is not nil.
type source struct{ *intake.Intake }

// Take implements pipeline.Source.
func (s source) Take(ctx context.Context) (pipeline.Message, error) {
	message, err := s.Intake.Take(ctx)
	if message == nil {
		return nil, err
	}
	return message, err
}

// TryTake implements pipeline.Source.
func (s source) TryTake() pipeline.Message {
	message := s.Intake.TryTake()
	if message == nil {
		return nil
	}
	return message
}
