package intake

import (
	"bytes"
	"testing"

	"github.com/nats-io/nats.go"
)

func TestNewMessage(t *testing.T) {
	msg := nats.NewMsg("rows.price")
	msg.Data = []byte("1/10/2012,50,9\n")
	msg.Sub = &nats.Subscription{}
	msg.Reply = "$JS.ACK.ROWS.price-writer.3.77.12.1353693600123456789.5"
	m, err := newMessage(msg, nil, newBuffer(1<<20, 10))
	if err != nil {
		t.Fatal(err)
	}
	c := m.Content()
	if c.Sequence != 77 || m.Delivered != 3 || c.Time.UnixNano() != 1353693600123456789 || c.Subject != "rows.price" || !bytes.Equal(c.Data, msg.Data) {
		t.Errorf("got %+v, delivered %d times", c, m.Delivered)
	}
	msg.Reply = "_INBOX.x"
	if _, err := newMessage(msg, nil, newBuffer(1<<20, 10)); err == nil {
		t.Error("a message that is not JetStream's passes")
	}
}
