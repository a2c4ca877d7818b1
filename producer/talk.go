package main

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
	"unicode"

	"github.com/streamgauge/streamgauge/shared/commandline"
)

// talk is a slog.Handler for people at a terminal: "producer: message", then
// the attributes in parentheses. It is safe for concurrent use.
type talk struct {
	mu      *sync.Mutex
	out     io.Writer
	columns int
	attrs   []slog.Attr
}

// newTalk returns a talk in which a line that is wider than columns is broken
// between words, 0 being no limit.
func newTalk(out io.Writer, columns int) *talk {
	return &talk{mu: new(sync.Mutex), out: out, columns: columns}
}

// Enabled implements slog.Handler.
func (t *talk) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

// Handle implements slog.Handler.
func (t *talk) Handle(_ context.Context, r slog.Record) error {
	var details []string
	add := func(a slog.Attr) bool {
		details = append(details, a.Key+": "+a.Value.String())
		return true
	}
	for _, a := range t.attrs {
		add(a)
	}
	r.Attrs(add)
	text := r.Message
	if len(details) > 0 {
		text += " (" + strings.Join(details, ", ") + ")"
	}
	return t.write(text)
}

// say tells one thing, whether anybody hears it or not.
func (t *talk) say(text string) { _ = t.write(text) }

func (t *talk) write(text string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, err := io.WriteString(t.out, commandline.Break(oneLine("producer: "+text), t.columns)+"\n")
	return err
}

// WithAttrs implements slog.Handler.
func (t *talk) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *t
	with.attrs = append(append([]slog.Attr(nil), t.attrs...), attrs...)
	return &with
}

// WithGroup implements slog.Handler; groups are not shown.
func (t *talk) WithGroup(string) slog.Handler { return t }

// oneLine replaces what is not printable. What comes from files is escaped
// before; this is for the words of servers and systems.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
}
