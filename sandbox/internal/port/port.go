// Package port finds out which TCP ports can be listened on.
package port

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// ErrTaken says that a port has another listener.
var ErrTaken = errors.New("port is taken")

// Check returns ErrTaken when something listens on the port of the host. It is
// for a clear answer before anything is set up: the port may be taken later.
func Check(host string, port int) error {
	l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%d on %s: %w", port, host, ErrTaken)
	}
	if err != nil {
		return err
	}
	return l.Close()
}

// Free returns a port that nothing listened on a moment ago.
func Free(host string) (int, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return 0, fmt.Errorf("no free port on %s: %w", host, err)
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
