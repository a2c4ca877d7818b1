package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/streamgauge/streamgauge/shared/topology"
)

const (
	// getSubject is where a stream is asked for a message (NATS's ADR-31).
	getSubject = "$JS.API.STREAM.MSG.GET." + topology.StreamRows
	// getTimeout bounds that question.
	getTimeout = 2 * time.Second
)

// headersDropped says whether msg came with headers that nats.go could not
// read: it hands such a message on without any, and its size tells.
func headersDropped(msg *nats.Msg) bool {
	return len(msg.Header) == 0 && msg.Size() > len(msg.Subject)+len(msg.Reply)+len(msg.Data)
}

// fetchHeaders returns the headers of a stored message as they were published.
func fetchHeaders(ctx context.Context, server Server, sequence uint64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, getTimeout)
	defer cancel()
	question, err := json.Marshal(map[string]uint64{"seq": sequence})
	if err != nil {
		return nil, fmt.Errorf("encode a question: %w", err)
	}
	answer, err := server.RequestWithContext(ctx, getSubject, question)
	if err != nil {
		return nil, err
	}
	var stored struct {
		Message *struct {
			Headers []byte `json:"hdrs"`
		} `json:"message"`
	}
	if err := json.Unmarshal(answer.Data, &stored); err != nil {
		return nil, err
	}
	if stored.Message == nil {
		return nil, errors.New("the stream does not have it any more")
	}
	return stored.Message.Headers, nil
}
