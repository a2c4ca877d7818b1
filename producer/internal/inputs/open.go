package inputs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/streamgauge/streamgauge/producer/internal/escape"
	"github.com/streamgauge/streamgauge/shared/unpack"
)

// File is an input on disk, of which there is one source or several.
type File struct {
	*os.File
	// Spooled says that it is a copy of what could be read only once: a pipe,
	// or standard input.
	Spooled bool

	input   Input
	rewound []*rewound
}

// Source is one CSV, which can be read at any place, as often as needed. It
// lives as long as its File.
type Source struct {
	io.ReaderAt

	// Name is what it is called.
	Name string
	// Spooled is the file's.
	Spooled bool
}

// Sources returns what is to be loaded from the file: none if everything in it
// matches a pattern of exclude. Errors name the cause, the remedy and the input.
func (f *File) Sources(exclude []string) ([]Source, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, explain(f.input.Path, err)
	}
	found, err := unpack.Find(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", escape.Name(f.input.Name()), err)
	}
	var sources []Source
	chosen := f.input.Member == ""
	for _, csv := range found {
		if !f.input.has(csv.Path) {
			continue
		}
		chosen = true
		if csv.Path != "" && excluded(csv.Name(f.input.Path), csv.Path, exclude) {
			continue
		}
		source := Source{Name: asName(csv.Name(f.input.Name())), Spooled: f.Spooled, ReaderAt: f}
		if csv.Packed() {
			unpacked := &rewound{open: csv.Open}
			f.rewound = append(f.rewound, unpacked)
			source.ReaderAt = unpacked
		}
		sources = append(sources, source)
	}
	if !chosen {
		return nil, fmt.Errorf("%s holds no .csv file %s. Name one of those 'unzip -l' lists", escape.Name(f.input.Name()), escape.Name(f.input.Member))
	}
	return sources, nil
}

// has says whether what is at a path in a zip archive, empty for a file that is
// none, is to be loaded.
func (in Input) has(member string) bool {
	match, _ := path.Match(in.Member, member)
	return in.Member == "" || in.Member == member || match
}

// Close lets go of the file and all its sources.
func (f *File) Close() error {
	for _, unpacked := range f.rewound {
		_ = unpacked.Close() // it was only read
	}
	return f.File.Close()
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
		return &File{File: f, input: in}, nil
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
	return &File{File: copied, Spooled: true, input: in}, nil
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
