package intake

import (
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/streamgauge/streamgauge/consumer/internal/decode"
)

// Message is a message in hand. Until Ack or Release is called it is kept from
// being delivered again.
type Message struct {
	decode.Message
	// Delivered counts the deliveries of the message, from 1.
	Delivered uint64

	delivery delivery
	buffer   *buffer
	// size is what the message counts for in the buffer, in bytes.
	size int
	// renewed is when the server was last told that it is being worked on.
	renewed time.Time
}

// delivery is what a *nats.Msg tells the server of itself.
type delivery interface {
	Ack(opts ...nats.AckOpt) error
	Nak(opts ...nats.AckOpt) error
	InProgress(opts ...nats.AckOpt) error
}

func newMessage(msg *nats.Msg, b *buffer) (*Message, error) {
	meta, err := msg.Metadata()
	if err != nil {
		return nil, fmt.Errorf("message without JetStream's reply subject: %w", err)
	}
	content := decode.Message{
		Subject:  msg.Subject,
		Header:   msg.Header,
		Data:     msg.Data,
		Sequence: meta.Sequence.Stream,
		Time:     meta.Timestamp,
	}
	return &Message{
		Message:   content,
		Delivered: meta.NumDelivered,
		delivery:  msg,
		buffer:    b,
		size:      content.Size(),
		renewed:   time.Now(),
	}, nil
}

// Content returns the message as it came.
func (m *Message) Content() *decode.Message { return &m.Message }

// Ack tells the server that the message has taken effect. It does not wait: an
// acknowledgement that gets lost brings the message back, and the ledger knows it.
func (m *Message) Ack() error {
	m.buffer.drop(m)
	return m.delivery.Ack()
}

// Release gives the message back to be delivered again, at once.
func (m *Message) Release() error {
	m.buffer.drop(m)
	return m.delivery.Nak()
}
