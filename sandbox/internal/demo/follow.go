package demo

import (
	"fmt"

	"github.com/nats-io/nats.go"

	"github.com/streamgauge/streamgauge/shared/stats"
	"github.com/streamgauge/streamgauge/shared/topology"
)

// pending is how many messages may wait for the screen: more than the demo's
// files make.
const pending = 4096

// follower is a plain subscriber of stats.price, as anyone may be.
type follower struct {
	conn     *nats.Conn
	messages chan *nats.Msg
	last     stats.Snapshot
}

func follow(url string) (*follower, error) {
	conn, err := nats.Connect(url, nats.Name("sandbox demo"))
	if err != nil {
		return nil, fmt.Errorf("NATS: %w", err)
	}
	f := &follower{conn: conn, messages: make(chan *nats.Msg, pending)}
	if _, err := conn.ChanSubscribe(topology.SubjectStats, f.messages); err != nil {
		conn.Close()
		return nil, fmt.Errorf("subscribe to %s: %w", topology.SubjectStats, err)
	}
	// The subscription must stand before the first file is sent.
	if err := conn.Flush(); err != nil {
		conn.Close()
		return nil, fmt.Errorf("NATS: %w", err)
	}
	return f, nil
}

// take returns the snapshot in a message if it is newer than the last one, as
// a subscriber should look at them, else nil.
func (f *follower) take(msg *nats.Msg) *stats.Snapshot {
	s, err := stats.Decode(msg.Data)
	if err != nil || s.Revision == 0 || !s.Supersedes(&f.last) {
		return nil
	}
	f.last = s
	return &s
}

func (f *follower) close() { f.conn.Close() }
