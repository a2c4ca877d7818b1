package main

import (
	"context"
	"io"
)

// interruptible reads from a terminal or a pipe, where nothing ends a Read, until
// ctx is over. One Read of from may then go on until the process ends.
type interruptible struct {
	ctx  context.Context //nolint:containedctx // it lives as long as one reading
	from io.Reader
}

func (r interruptible) Read(p []byte) (int, error) {
	type result struct {
		data []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		buffer := make([]byte, len(p)) // p is the caller's again when ctx is over
		n, err := r.from.Read(buffer)
		done <- result{buffer[:n], err}
	}()
	select {
	case <-r.ctx.Done():
		return 0, r.ctx.Err()
	case read := <-done:
		return copy(p, read.data), read.err
	}
}
