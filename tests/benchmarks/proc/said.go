package proc

import (
	"bytes"
	"strings"
	"sync"
)

const (
	keptBytes     = 8 << 10 // of what a process said last
	bufferedLines = 256
)

// said takes what a process writes: the end of it is kept, and the first lines
// can be waited for.
type said struct {
	lines chan string

	mu      sync.Mutex
	tail    []byte
	partial []byte
}

func newSaid() *said { return &said{lines: make(chan string, bufferedLines)} }

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tail = append(s.tail, p...)
	if over := len(s.tail) - keptBytes; over > 0 {
		s.tail = append(s.tail[:0], s.tail[over:]...)
	}
	s.partial = append(s.partial, p...)
	for {
		line, rest, found := bytes.Cut(s.partial, []byte("\n"))
		if !found {
			return len(p), nil
		}
		select {
		case s.lines <- string(line):
		default:
		}
		s.partial = append(s.partial[:0], rest...)
	}
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.TrimSpace(string(s.tail))
}
