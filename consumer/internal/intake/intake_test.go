package intake

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/nats-io/nats.go"
)

func TestPullError(t *testing.T) {
	for _, test := range []struct {
		rule string
		err  error
		want string
	}{
		{"answered in full", nil, "<nil>"},
		{"nothing came", nats.ErrTimeout, "<nil>"},
		{"nothing came in our time", fmt.Errorf("x: %w", context.DeadlineExceeded), "<nil>"},
		{"stopped", context.Canceled, "<nil>"},
		{"no heartbeats", nats.ErrNoHeartbeat, "the server has lost the pull request: nats: no heartbeat received"},
		{"other", nats.ErrConnectionClosed, "pull: nats: connection closed"},
		{"consumer deleted", nats.ErrConsumerDeleted, "pull: nats: consumer deleted"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			if got := fmt.Sprint(pullError(test.err)); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestNewMessage(t *testing.T) {
	msg := nats.NewMsg("rows.price")
	msg.Data = []byte("1/10/2012,50,9\n")
	msg.Sub = &nats.Subscription{}
	msg.Reply = "$JS.ACK.ROWS.price-writer.3.77.12.1353693600123456789.5"
	m, err := newMessage(msg, newBuffer(1<<20, 10))
	if err != nil {
		t.Fatal(err)
	}
	c := m.Content()
	if c.Sequence != 77 || m.Delivered != 3 || c.Time.UnixNano() != 1353693600123456789 || c.Subject != "rows.price" || !bytes.Equal(c.Data, msg.Data) {
		t.Errorf("got %+v, delivered %d times", c, m.Delivered)
	}
	msg.Reply = "_INBOX.x"
	if _, err := newMessage(msg, newBuffer(1<<20, 10)); err == nil {
		t.Error("a message that is not JetStream's passes")
	}
}
