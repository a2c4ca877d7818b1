package publish

import (
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/streamgauge/streamgauge/shared/topology"
)

// verdict is what a failed publish calls for.
type verdict int

const (
	// retry waits and publishes again.
	retry verdict = iota
	// full is retry, while the broker has no room.
	full
	// missing is retry, after the streams were created again.
	missing
	// fatal ends the run: publishing again would fail again.
	fatal
)

// The server's error codes that decide, from its errors.json. All others are
// states that pass: no leader, a stream offline, a server shutting down, too
// many requests, a failing disk.
const (
	codeAccountResources jetstream.ErrorCode = 10002 // the account's limit
	codeInsufficient     jetstream.ErrorCode = 10023 // the server's limit
	codeMemoryResources  jetstream.ErrorCode = 10028
	codeStorageResources jetstream.ErrorCode = 10047
	codeMessageTooLarge  jetstream.ErrorCode = 10054 // the stream's max_msg_size
	codeStreamNotMatch   jetstream.ErrorCode = 10060
	codeStoreFailed      jetstream.ErrorCode = 10077 // the description is the store's own error
	codeStreamSealed     jetstream.ErrorCode = 10109
)

// classify is the one place that decides whether a failure passes.
func classify(err error) verdict {
	var api *jetstream.APIError
	var denied *DeniedError
	switch {
	case errors.As(err, &api):
		return classifyCode(api)
	case errors.As(err, &denied), errors.Is(err, nats.ErrMaxPayload), errors.Is(err, nats.ErrConnectionClosed):
		return fatal
	case errors.Is(err, jetstream.ErrNoStreamResponse), errors.Is(err, nats.ErrNoResponders):
		return missing
	}
	return retry
}

func classifyCode(api *jetstream.APIError) verdict {
	switch api.ErrorCode {
	case codeStoreFailed:
		// "maximum bytes exceeded", "maximum messages exceeded" and "maximum
		// messages per subject exceeded" are how a stream that discards what
		// is new says that it is full; what else a store says is a fault of it.
		if strings.HasPrefix(api.Description, "maximum ") {
			return full
		}
	case codeAccountResources, codeInsufficient, codeMemoryResources, codeStorageResources:
		return full
	case jetstream.JSErrCodeStreamNotFound:
		return missing
	case codeMessageTooLarge, codeStreamNotMatch, codeStreamSealed:
		return fatal
	}
	return retry
}

// explain gives a fatal failure its cause and remedy.
func explain(err error) error {
	var api *jetstream.APIError
	switch {
	case errors.Is(err, nats.ErrMaxPayload):
		return &FatalError{"the NATS server takes smaller messages than a batch may be. Raise its max_payload to 1 MB, its default", err}
	case errors.Is(err, nats.ErrConnectionClosed):
		return &FatalError{"the connection to NATS was closed for good. Run the same command again to continue", err}
	case errors.As(err, &api):
		switch api.ErrorCode {
		case codeMessageTooLarge:
			return &FatalError{fmt.Sprintf("the stream %s takes smaller messages than a batch may be. Lift its limit with 'nats stream edit %s --max-msg-size=-1'",
				topology.StreamRows, topology.StreamRows), err}
		case codeStreamNotMatch:
			return &FatalError{fmt.Sprintf("the subject %s belongs to a stream other than %s. Use another account, or remove that stream",
				topology.SubjectRows, topology.StreamRows), err}
		case codeStreamSealed:
			return &FatalError{fmt.Sprintf("the stream %s is sealed and takes no messages. Once the consumer has emptied it, remove it with 'nats stream rm %s', and it will be made anew",
				topology.StreamRows, topology.StreamRows), err}
		}
	}
	return err
}
