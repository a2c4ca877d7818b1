package inputs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/streamgauge/streamgauge/producer/internal/escape"
)

// File is an input that can be read at any place, as often as needed.
type File struct {
	*os.File
	// Spooled says that it is a copy of what could be read only once: a pipe,
	// or standard input.
	Spooled bool
}

// Open opens the input. What is no regular file is first copied to a temporary
// file, which has no name any more and so goes with the process; stdin is read
// for Input Stdin. Errors name the cause and the remedy, and the input.
func (in Input) Open(ctx context.Context, stdin *os.File) (*File, error) {
	if in.Path == Stdin {
		return spool(ctx, in, stdin)
	}
	f, err := os.Open(in.Path)
	if err != nil {
		return nil, explain(in.Path, err)
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close() // nothing was written
		return nil, explain(in.Path, err)
	}
	switch {
	case info.IsDir():
		_ = f.Close()
		return nil, fmt.Errorf("%s is a folder. Name the files in it", escape.Name(in.Path))
	case info.Mode().IsRegular():
		return &File{File: f}, nil
	}
	defer f.Close()
	return spool(ctx, in, f)
}

func spool(ctx context.Context, in Input, from *os.File) (*File, error) {
	copied, err := os.CreateTemp("", "streamgauge-input-*")
	if err != nil {
		return nil, fmt.Errorf("no temporary file for a copy of %s: %w. Set TMPDIR to a folder with room", escape.Name(in.Name()), err)
	}
	if err := os.Remove(copied.Name()); err != nil {
		_ = copied.Close()
		return nil, fmt.Errorf("temporary file: %w", err)
	}
	// A read from a terminal or a pipe can't be interrupted; it is left to
	// itself, and ends with the process.
	done := make(chan error, 1)
	go func() {
		_, err := io.Copy(copied, from)
		done <- err
	}()
	select {
	case err = <-done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err != nil {
		_ = copied.Close()
		return nil, fmt.Errorf("copying %s to a temporary file: %w. Set TMPDIR to a folder with room", escape.Name(in.Name()), err)
	}
	return &File{File: copied, Spooled: true}, nil
}

func explain(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: no such file. Check the path", escape.Name(path))
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: not allowed to read it. Check its permissions", escape.Name(path))
	}
	return fmt.Errorf("%s: can't be opened: %w", escape.Name(path), errors.Unwrap(err))
}
