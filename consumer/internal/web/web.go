// Package web is the consumer's HTTP server: it listens, keeps slow clients
// from staying, and ends in time. What is served is mounted by others.
package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"
)

const (
	// readWithin bounds the reading of a request; none has a body worth more.
	readWithin = 5 * time.Second
	// writeWithin bounds an answer. A handler that streams moves its deadline on
	// with http.ResponseController.
	writeWithin = 10 * time.Second
	// idleFor is how long a connection without a request is kept.
	idleFor = time.Minute
	// maxHeaders is in bytes.
	maxHeaders = 16 << 10
	// closeWithin is what the answers under way get when the server ends.
	closeWithin = 300 * time.Millisecond
)

// Server is one listener and what is mounted on it. It is safe for concurrent use.
type Server struct {
	listener net.Listener
	mux      *http.ServeMux
}

// Validate reports an address that nobody can listen on. A host may be left
// out, which is all of them; a port of 0 is any.
func Validate(address string) error {
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("--http takes HOST:PORT, such as 127.0.0.1:8080, not %q", address)
	}
	return nil
}

// Listen takes the address; whoever connects waits until Serve is called. The
// error is a *ListenError.
func Listen(ctx context.Context, address string) (*Server, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, listenError(address, err)
	}
	return &Server{listener: listener, mux: http.NewServeMux()}, nil
}

// Mux is where handlers are mounted, also while Serve runs.
func (s *Server) Mux() *http.ServeMux { return s.mux }

// URL is the server's address for this machine, with a slash at the end.
func (s *Server) URL() string {
	address := s.listener.Addr().(*net.TCPAddr)
	if address.IP.IsUnspecified() {
		return fmt.Sprintf("http://localhost:%d/", address.Port)
	}
	return "http://" + address.String() + "/"
}

// Open says whether other machines may reach the server, who need no password.
func (s *Server) Open() bool {
	return !s.listener.Addr().(*net.TCPAddr).IP.IsLoopback()
}

// Serve answers until ctx is over, with which the contexts of requests end too.
func (s *Server) Serve(ctx context.Context, logger *slog.Logger) error {
	server := &http.Server{
		Handler:           s.mux,
		ReadTimeout:       readWithin,
		ReadHeaderTimeout: readWithin,
		WriteTimeout:      writeWithin,
		IdleTimeout:       idleFor,
		MaxHeaderBytes:    maxHeaders,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(s.listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("answer on --http: %w", err)
	case <-ctx.Done():
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeWithin)
	defer cancel()
	if err := server.Shutdown(closing); err != nil {
		_ = server.Close() // What is left is not waited for.
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("answer on --http: %w", err)
	}
	return nil
}

// Close frees the address of a server that was never served.
func (s *Server) Close() error { return s.listener.Close() }

func listenError(address string, err error) error {
	e := &ListenError{Address: address, Reason: err.Error(), Remedy: "Give another one to --http", Cause: err}
	var dns *net.DNSError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		e.Reason, e.Remedy = "the address is in use", "Stop what listens there, or give another one to --http"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		e.Reason, e.Remedy = "this machine has no such address", "Give one of its own to --http, such as 127.0.0.1:8080"
	case errors.Is(err, syscall.EACCES):
		e.Reason, e.Remedy = "not permitted", "Give a port from 1024 on to --http"
	case errors.As(err, &dns):
		e.Reason, e.Remedy = "no such host", "Give --http an address of this machine, such as 127.0.0.1:8080"
	}
	return e
}
