package intake

import (
	"context"

	"github.com/nats-io/nats.go"
)

// Server is NATS as the intake uses it. It is safe for concurrent use.
type Server interface {
	// NewInbox returns a subject that nobody else listens to.
	NewInbox() string
	// Listen has what arrives on subject sent to arrived, until stop is called.
	Listen(subject string, arrived chan *nats.Msg) (stop func() error, err error)
	// Publish and PublishRequest do not wait for the server.
	Publish(subject string, data []byte) error
	PublishRequest(subject, reply string, data []byte) error
	// RequestWithContext waits for one reply.
	RequestWithContext(ctx context.Context, subject string, data []byte) (*nats.Msg, error)
}

// Over returns the server at the other end of nc.
func Over(nc *nats.Conn) Server { return connection{nc} }

type connection struct{ *nats.Conn }

func (c connection) Listen(subject string, arrived chan *nats.Msg) (stop func() error, err error) {
	sub, err := c.ChanSubscribe(subject, arrived)
	if err != nil {
		return nil, err
	}
	return sub.Unsubscribe, nil
}

// What a consumer is told of a delivery, at the delivery's reply subject (NATS's ADR-15).
const (
	ack        = "+ACK"
	nak        = "-NAK"
	inProgress = "+WPI"
)

// receipt tells the server what becomes of one delivery.
type receipt struct {
	server  Server
	subject string
}

func (r receipt) Ack() error        { return r.server.Publish(r.subject, []byte(ack)) }
func (r receipt) Nak() error        { return r.server.Publish(r.subject, []byte(nak)) }
func (r receipt) InProgress() error { return r.server.Publish(r.subject, []byte(inProgress)) }
