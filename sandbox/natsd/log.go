package natsd

import (
	"fmt"
	"log/slog"
	"sync"
)

// forward hands the server's warnings and errors on to slog, and remembers the
// last error for the message of a failed start.
type forward struct {
	log *slog.Logger

	mu   sync.Mutex
	fail string
}

func (f *forward) Noticef(string, ...any) {}
func (f *forward) Debugf(string, ...any)  {}
func (f *forward) Tracef(string, ...any)  {}

func (f *forward) Warnf(format string, v ...any) {
	f.log.Warn("nats: " + fmt.Sprintf(format, v...))
}

func (f *forward) Errorf(format string, v ...any) { f.failed(fmt.Sprintf(format, v...)) }
func (f *forward) Fatalf(format string, v ...any) { f.failed(fmt.Sprintf(format, v...)) }

func (f *forward) failed(msg string) {
	f.mu.Lock()
	f.fail = msg
	f.mu.Unlock()
	f.log.Error("nats: " + msg)
}

// last is ": " and the last error, or "".
func (f *forward) last() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail == "" {
		return ""
	}
	return ": " + f.fail
}
