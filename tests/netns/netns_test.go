package netns

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/tests/harness"
)

// What a cut host sends is lost, and nobody is told; the other direction goes on,
// and all is well again when it is mended.
func TestCut(t *testing.T) {
	n := New(t)
	one, other := n.Host("one"), n.Host("other")
	listener, err := other.Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		if conn, err := listener.Accept(); err == nil {
			accepted <- conn
		}
	}()
	client, err := one.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	server := <-accepted
	defer server.Close()
	pass(t, client, server)
	pass(t, server, client)

	n.Cut(one, other)
	if _, err := client.Write([]byte("x")); err != nil {
		t.Errorf("the sender is told: %v", err)
	}
	if err := server.SetReadDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("what was cut arrives: %v", err)
	}
	if conn, err := one.Dial("tcp", listener.Addr().String()); err == nil {
		_ = conn.Close()
		t.Error("a new connection comes about")
	}
	pass(t, server, client)

	n.Mend()
	if err := server.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(server, make([]byte, 1)); err != nil {
		t.Errorf("what was sent does not arrive afterwards: %v", err)
	}
}

func pass(t *testing.T, from, to net.Conn) {
	t.Helper()
	if _, err := from.Write([]byte("y")); err != nil {
		t.Fatal(err)
	}
	if err := to.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(to, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
}

// TestDialOutlastsTheTest: who still dials when the network goes is told so.
func TestDialOutlastsTheTest(t *testing.T) {
	if err := Unavailable(); err != nil {
		harness.Unable(t, "a partition needs a network of its own: ", err)
	}
	ended := make(chan struct{})
	t.Run("a test", func(t *testing.T) {
		host := New(t).Host("one")
		go func() {
			defer close(ended)
			for {
				conn, err := host.Dial("tcp", "127.0.0.1:1")
				if errors.Is(err, syscall.EBADF) {
					return
				}
				if err == nil {
					_ = conn.Close()
				}
			}
		}()
	})
	<-ended
}
