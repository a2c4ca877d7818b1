package publish

import (
	"errors"
	"fmt"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func TestClassify(t *testing.T) {
	api := func(code jetstream.ErrorCode, text string) error {
		return fmt.Errorf("nats: %w", &jetstream.APIError{ErrorCode: code, Description: text})
	}
	for want, list := range map[verdict][]error{
		retry: {
			nats.ErrDisconnected, nats.ErrReconnectBufExceeded, nats.ErrTimeout, jetstream.ErrAsyncPublishTimeout, jetstream.ErrInvalidJSAck,
			api(codeStoreFailed, "file store closed"), api(10008, "JetStream system temporarily unavailable"), api(10167, "too many requests"),
		},
		full: {
			api(codeStoreFailed, "maximum bytes exceeded"), api(codeStoreFailed, "maximum messages exceeded"),
			api(codeInsufficient, "insufficient resources"), api(codeStorageResources, ""), api(codeAccountResources, ""), api(codeMemoryResources, ""),
		},
		missing: {jetstream.ErrNoStreamResponse, nats.ErrNoResponders, api(jetstream.JSErrCodeStreamNotFound, "stream not found")},
		fatal: {
			nats.ErrMaxPayload, nats.ErrConnectionClosed, &DeniedError{errors.New("x")},
			api(codeMessageTooLarge, ""), api(codeStreamNotMatch, ""), api(codeStreamSealed, ""),
		},
	} {
		for _, err := range list {
			if got := classify(err); got != want {
				t.Errorf("classify(%v) = %d, want %d", err, got, want)
			}
		}
	}
}
