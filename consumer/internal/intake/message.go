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

// delivery tells the server what becomes of it: a receipt.
type delivery interface {
	Ack() error
	Nak() error
	InProgress() error
}

func newMessage(msg *nats.Msg, server Server, b *buffer) (*Message, error) {
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
		delivery:  receipt{server, msg.Reply},
		buffer:    b,
		size:      content.Size(),
		renewed:   time.Now(),
	}, nil
}

// Content returns the message as it came.
func (m *Message) Content() *decode.Message { return &m.Message }

// Ack tells the server that the message has taken effect. It does not wait: an
// acknowledgement that gets lost brings the message back, and the ledger knows
// it. Of Ack and Release only the first call counts, any other is
// nats.ErrMsgAlreadyAckd.
func (m *Message) Ack() error {
	if !m.buffer.drop(m) {
		return nats.ErrMsgAlreadyAckd
	}
	return m.delivery.Ack()
}

// Release gives the message back to be delivered again, at once.
func (m *Message) Release() error {
	if !m.buffer.drop(m) {
		return nats.ErrMsgAlreadyAckd
	}
	return m.delivery.Nak()
}
