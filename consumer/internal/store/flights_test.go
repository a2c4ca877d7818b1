package store

import (
	"net"
	"testing"
)

// closable notes that it was closed.
type closable struct {
	net.Conn

	closed bool
}

func (c *closable) Close() error {
	c.closed = true
	return nil
}

// TestCutWaiting: of the transactions under way those lose their connections that
// wait for another of this process, and no other.
func TestCutWaiting(t *testing.T) {
	var conns [3]closable
	f := flights{byPID: make(map[int32]*flight)}
	for pid := range conns {
		f.byPID[int32(pid)] = &flight{conn: &meteredConn{Conn: &conns[pid]}}
	}
	f.wait(1)
	f.wait(2)() // waits no longer
	if pids := f.cutWaiting(); len(pids) != 1 || pids[0] != 1 {
		t.Errorf("cut %v, want 1 alone", pids)
	}
	for pid := range conns {
		if closed := conns[pid].closed; closed != (pid == 1) {
			t.Errorf("the connection of %d is closed: %t", pid, closed)
		}
	}
}
