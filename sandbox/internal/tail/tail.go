// Package tail shows the end of what a program said, for the message about its
// failure.
package tail

import (
	"io"
	"os"
	"strings"
	"sync"
)

const (
	shownLines = 5
	keptBytes  = 4 << 10
)

// Lines is the last lines of text on one line, led by ": "; "" for no text.
func Lines(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return ""
	}
	return ": " + strings.Join(lines[max(0, len(lines)-shownLines):], " | ")
}

// File is Lines of the file at path from the given offset on. A file that
// can't be read has said nothing.
func File(path string, from int64) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	from = max(from, info.Size()-keptBytes)
	b, err := io.ReadAll(io.NewSectionReader(f, from, keptBytes))
	if err != nil {
		return ""
	}
	return Lines(string(b))
}

// Buffer keeps the end of what is written to it, in bounded memory. The zero
// value is ready. It is safe for concurrent use.
type Buffer struct {
	mu   sync.Mutex
	text []byte
}

// Write never fails.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text = append(b.text, p...)
	if over := len(b.text) - keptBytes; over > 0 {
		b.text = append(b.text[:0], b.text[over:]...)
	}
	return len(p), nil
}

// String is the end of the text as it was written.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.text)
}
