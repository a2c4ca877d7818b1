package harness

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
)

// capture keeps what a process writes and lets others wait for a line of it.
// Safe for concurrent use.
type capture struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{} // closed and replaced at each write
}

func newCapture() *capture { return &capture{changed: make(chan struct{})} }

func (c *capture) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.changed)
	c.changed = make(chan struct{})
	return c.text.Write(p)
}

func (c *capture) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String()
}

// line returns the first line that contains the text, waiting for it until the
// context or the process ends. A line that is still being written counts only
// once the process has ended.
func (c *capture) line(ctx context.Context, containing string, exited <-chan struct{}) (string, error) {
	searched := 0 // everything before it has been searched
	for {
		ended := isClosed(exited)
		c.mu.Lock()
		changed := c.changed
		fresh := c.text.String()[searched:]
		c.mu.Unlock()
		if !ended {
			fresh = fresh[:strings.LastIndexByte(fresh, '\n')+1]
		}
		searched += len(fresh)
		for line := range strings.Lines(fresh) {
			if strings.Contains(line, containing) {
				return strings.TrimRight(line, "\r\n"), nil
			}
		}
		if ended {
			return "", fmt.Errorf("no line with %q: the process has ended", containing)
		}
		select {
		case <-changed:
		case <-exited:
		case <-ctx.Done():
			return "", fmt.Errorf("no line with %q: %w", containing, ctx.Err())
		}
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// tail returns the last lines, at most count of them.
func (c *capture) tail(count int) string {
	lines := strings.Split(strings.TrimRight(c.String(), "\n"), "\n")
	if skipped := len(lines) - count; skipped > 0 {
		return fmt.Sprintf("(%d lines before)\n%s", skipped, strings.Join(lines[skipped:], "\n"))
	}
	return strings.Join(lines, "\n")
}
