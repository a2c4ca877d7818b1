package load

import (
	"context"
	"errors"
	"testing"

	"github.com/nats-io/nats.go"
)

// What is told of an answer that never came has to be the cause, not the usual one.
func TestSilenceHasACause(t *testing.T) {
	down := &answeredError{"the database does not answer"}
	for name, c := range map[string]struct {
		cause      error
		what, text string
	}{
		"nobody":     {nats.ErrNoResponders, "no consumer running", "no consumer is running: start 'consumer'"},
		"silence":    {context.DeadlineExceeded, "no consumer answers", "no consumer answers: see its log, or start 'consumer'"},
		"no NATS":    {nats.ErrDisconnected, "NATS is not connected", "NATS is not connected"},
		"unable":     {down, "the database does not answer", down.Error() + ": see its log, or 'consumer doctor'"},
		"denied":     {errors.New("NATS denies it. Give the right"), "no consumer answers: NATS denies it", "no consumer answers: NATS denies it. Give the right"},
		"unreadable": {errors.New("x"), "no consumer answers: x", "no consumer answers: x"},
	} {
		t.Run(name, func(t *testing.T) {
			silence := &NoAnswerError{Cause: c.cause}
			if silence.What() != c.what || silence.Error() != c.text {
				t.Errorf("told as %q, %q", silence.What(), silence)
			}
		})
	}
}
