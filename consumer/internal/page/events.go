package page

import (
	"bytes"
	"fmt"
	"net/http"
	"time"

	"github.com/streamgauge/streamgauge/shared/stats"
)

const (
	// mostWatchers bounds the streams of events open at a time.
	mostWatchers = 32
	// apart is the least time between two writes to a watcher: what happens
	// meanwhile is in the next.
	apart = 100 * time.Millisecond
	// beat is how often a watcher hears something at least, so that it can tell
	// a connection without news from one that is gone.
	beat = 3 * time.Second
	// writeWithin is what a watcher gets to take a write, before it is dropped.
	writeWithin = 5 * time.Second
	// retryAfter is what a browser waits before it connects again.
	retryAfter = time.Second
)

// events streams what the page shows until the watcher leaves or is too slow, or
// Run has ended.
func (p *Page) events(w http.ResponseWriter, r *http.Request) {
	stop, ok := p.feed.watch()
	if !ok {
		w.Header().Set("Retry-After", "10")
		http.Error(w, fmt.Sprintf("%d pages are open on this consumer: close one", mostWatchers), http.StatusServiceUnavailable)
		return
	}
	defer stop()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold the events back
	if r.Method == http.MethodHead {
		return
	}
	p.sent(p.stream(w, r))
}

func (p *Page) stream(w http.ResponseWriter, r *http.Request) error {
	// A server's limit on reading a request would end its answer too.
	if err := http.NewResponseController(w).SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	var text bytes.Buffer
	fmt.Fprintf(&text, "retry: %d\n", retryAfter.Milliseconds())
	if err := event(&text, "hello", hello{p.build, p.version, !p.feed.isRunning()}); err != nil {
		return err
	}
	heartbeat := time.NewTimer(beat)
	defer heartbeat.Stop()
	var sent news
	for {
		fresh, changed := p.feed.since(sent)
		if err := fresh.write(&text); err != nil {
			return err
		}
		if text.Len() > 0 {
			if err := writeTo(w, writeWithin, text.Bytes()); err != nil {
				return err
			}
			text.Reset()
			heartbeat.Reset(beat)
		}
		sent = sent.with(fresh)
		select {
		case <-r.Context().Done():
			return nil
		case <-p.feed.ended:
			return nil
		case <-time.After(apart):
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-p.feed.ended:
			return nil
		case <-changed:
		case <-heartbeat.C:
			text.WriteString("event: beat\ndata:\n\n")
		}
	}
}

// write appends what is new, as events.
func (n *news) write(text *bytes.Buffer) error {
	if n.course != nil { // then there is a snapshot too
		if err := event(text, "course", courseView(n.snapshot.Database, n.course)); err != nil {
			return err
		}
	}
	if n.snapshot != nil {
		if err := event(text, "snapshot", snapshotView(n.snapshot)); err != nil {
			return err
		}
	}
	if n.spread != nil {
		if err := event(text, "distribution", n.spread.histogram); err != nil {
			return err
		}
	}
	if n.look != nil {
		return event(text, "look", lookView(n.look))
	}
	return nil
}

// with is what a watcher has been sent, now that fresh has been too.
func (n news) with(fresh news) news {
	if fresh.snapshot != nil {
		n.snapshot = fresh.snapshot
	}
	if fresh.look != nil {
		n.look = fresh.look
	}
	if fresh.spread != nil {
		n.spread = fresh.spread
	}
	return n
}

// event appends one server-sent event. Its data is one line, as the format of
// events has it.
func event(text *bytes.Buffer, name string, data any) error {
	line, err := stats.Line(data)
	if err != nil {
		return fmt.Errorf("event %s: %w", name, err)
	}
	fmt.Fprintf(text, "event: %s\ndata: %s\n\n", name, line)
	return nil
}
