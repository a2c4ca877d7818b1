// Package page is the live page: one page of HTML that shows the statistics as
// they are published, kept up to date by server-sent events. It is embedded,
// and its browser asks nobody but this process for anything.
package page

import (
	"embed"
	"log/slog"
	"net/http"
	"time"

	"github.com/streamgauge/streamgauge/consumer/internal/web"
)

//go:embed assets
var embedded embed.FS

// Page is an http.Handler of these paths, with GET and HEAD alone:
//
//	/        the page, and the files it is made of
//	/events  server-sent events: what the page shows
//	/stats   the snapshot as JSON, as last published on stats.price
//
// It is safe for concurrent use.
type Page struct {
	mux    *http.ServeMux
	feed   *feed
	build  string // differs where the page's files do
	logger *slog.Logger
	// version is the consumer's.
	version string
}

// New returns a Page that knows no snapshot before the first Observe, and says
// that the consumer is starting until Run is called.
func New(version string, logger *slog.Logger) (*Page, error) {
	files, build, err := loadFiles(embedded)
	if err != nil {
		return nil, err
	}
	p := &Page{mux: http.NewServeMux(), feed: newFeed(), build: build, logger: logger, version: version}
	for path, file := range files {
		p.mux.Handle("GET "+path, file)
	}
	p.mux.HandleFunc("GET /events", p.events)
	p.mux.HandleFunc("GET /stats", p.stats)
	return p, nil
}

// ServeHTTP answers with headers that keep the page to itself.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	if reason := web.Refuse(r); reason != "" {
		http.Error(w, reason, http.StatusForbidden)
		return
	}
	p.mux.ServeHTTP(w, r)
}

// stats answers with the line that went to stats.price.
func (p *Page) stats(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	snapshot := p.feed.latest()
	if snapshot == nil {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "no snapshot yet: the database has not answered since the start", http.StatusServiceUnavailable)
		return
	}
	line, err := snapshot.Encode()
	if err != nil {
		p.logger.Error("a snapshot can't be shown", "error", err)
		http.Error(w, "the snapshot can't be encoded", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	p.sent(writeTo(w, writeWithin, append(line, '\n')))
}

// sent is where an answer ends that its reader did not wait for.
func (p *Page) sent(err error) {
	if err != nil {
		p.logger.Debug("an answer did not reach its reader", "error", err)
	}
}

// writeTo writes within a time of its own, whatever the server's limit is.
func writeTo(w http.ResponseWriter, within time.Duration, text []byte) error {
	control := http.NewResponseController(w)
	if err := control.SetWriteDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	return control.Flush()
}
