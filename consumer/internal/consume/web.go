package consume

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

const (
	// headersWithin and idleFor keep clients that say nothing from staying.
	headersWithin = 5 * time.Second
	idleFor       = time.Minute
	// maxHeaders is in bytes.
	maxHeaders = 16 << 10
	// webCloseWithin is what answers under way get when the consumer stops.
	webCloseWithin = 300 * time.Millisecond
)

// listen opens the address of --http, which may be a port alone.
func listen(ctx context.Context, address string) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("--http: %w: give another address, or stop what uses this one", err)
	}
	return listener, nil
}

// pageAddress is what a browser on this machine asks for, and who else can.
func pageAddress(listener net.Listener) string {
	address := listener.Addr().(*net.TCPAddr)
	if address.IP.IsLoopback() {
		return "http://" + address.String() + "/"
	}
	note := ", open to whoever reaches this machine"
	if address.IP.IsUnspecified() {
		return fmt.Sprintf("http://localhost:%d/%s", address.Port, note)
	}
	return "http://" + address.String() + "/" + note
}

// serveWeb answers until ctx is over.
func serveWeb(ctx context.Context, listener net.Listener, handler http.Handler, logger *slog.Logger) error {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: headersWithin, ReadTimeout: headersWithin, IdleTimeout: idleFor,
		MaxHeaderBytes: maxHeaders, ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), webCloseWithin)
	defer cancel()
	if err := server.Shutdown(closing); err != nil {
		_ = server.Close() // what is left is not waited for
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
