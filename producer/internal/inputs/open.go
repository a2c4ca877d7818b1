package inputs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/streamgauge/streamgauge/producer/internal/escape"
	"github.com/streamgauge/streamgauge/producer/internal/fetch"
	"github.com/streamgauge/streamgauge/shared/unpack"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// File is an input on disk, of which there is one source or several.
type File struct {
	*os.File
	// Nameless says that what it is called tells nothing of what is in it: it was
	// a pipe, or standard input.
	Nameless bool

	input   Input
	name    string
	reading reading
}

// Source is one CSV, which can be read at any place, as often as needed. It
// lives as long as its File. Reading several sources of a file in turns is slow.
type Source struct {
	io.ReaderAt

	// Name is what it is called.
	Name string
	// Nameless is the file's.
	Nameless bool
}

// Sources returns what is to be loaded from the file: none if everything in it
// matches a pattern of exclude. Errors name the cause, the remedy and the input.
func (f *File) Sources(exclude []string) ([]Source, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, explain(f.path(), err)
	}
	found, err := unpack.Find(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", escape.Name(f.name), unpack.Explain(err))
	}
	var sources []Source
	chosen := f.input.Member == ""
	for _, csv := range found {
		if !f.input.has(csv.Path) {
			continue
		}
		chosen = true
		if (csv.Path != "" || f.input.isURL()) && excluded(csv.Name(f.path()), cmp.Or(csv.Path, f.name), exclude) {
			continue
		}
		source := Source{Name: wire.Name(csv.Name(f.name)), Nameless: f.Nameless, ReaderAt: f}
		if csv.Packed() {
			source.ReaderAt = &rewound{csv.Open, &f.reading}
		}
		if err := f.refusePage(source); err != nil {
			return nil, err
		}
		sources = append(sources, source)
	}
	if !chosen {
		return nil, fmt.Errorf("%s holds no .csv file %s. Name one of those 'unzip -l' lists", escape.Name(f.name), escape.Name(f.input.Member))
	}
	return sources, nil
}

// path is where the file is, for a pattern to match: of what was fetched, its
// name.
func (f *File) path() string {
	if f.input.isURL() {
		return f.name
	}
	return f.input.Path
}

// refusePage looks at what was fetched once more when it is unpacked.
func (f *File) refusePage(source Source) error {
	if !f.input.isURL() {
		return nil
	}
	// Reading the source meets whatever keeps its start from being read.
	start := make([]byte, 512)
	if n, _ := source.ReadAt(start, 0); fetch.IsPage(start[:n]) {
		return fmt.Errorf("%s: %w", escape.Name(source.Name), fetch.ErrPage)
	}
	return nil
}

// has says whether what is at a path in a zip archive, empty for a file that is
// none, is to be loaded.
func (in Input) has(member string) bool {
	match, _ := path.Match(in.Member, member)
	return in.Member == "" || in.Member == member || match
}

// Close lets go of the file and all its sources.
func (f *File) Close() error {
	f.reading.close()
	return f.File.Close()
}

// Outside is where inputs are that are not on this machine's disks.
type Outside struct {
	// Stdin is read for the Input Stdin.
	Stdin *os.File
	// Fetch writes what is at a URL to an empty file, and returns its name.
	Fetch func(ctx context.Context, address string, into *os.File) (name string, err error)
	// Copied is told how many bytes of Stdin or a pipe are copied so far, and how
	// many there are, -1 where that can't be known. Nil tells nobody.
	Copied func(have, size int64)
}

// Open opens the input. What is no regular file is first copied to a temporary
// file, which has no name any more and so goes with the process. Errors name the
// cause and the remedy, and the input.
func (in Input) Open(ctx context.Context, outside Outside) (*File, error) {
	switch {
	case in.Path == Stdin:
		return spool(ctx, in, outside.Stdin, outside.Copied)
	case in.isURL():
		return in.fetch(ctx, outside)
	}
	f, err := open(ctx, in.Path)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
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
		return &File{File: f, input: in, name: in.Name()}, nil
	}
	defer f.Close()
	return spool(ctx, in, f, outside.Copied)
}

// open is os.Open, which waits where a pipe has no writer yet, or a network does not
// answer, and can't be interrupted. Then it is left to itself.
func open(ctx context.Context, path string) (*os.File, error) {
	type opened struct {
		file *os.File
		err  error
	}
	done := make(chan opened, 1)
	go func() {
		file, err := os.Open(path)
		done <- opened{file, err}
	}()
	select {
	case o := <-done:
		return o.file, o.err
	case <-ctx.Done():
		go func() {
			if o := <-done; o.err == nil {
				_ = o.file.Close() // nothing was read
			}
		}()
		return nil, ctx.Err()
	}
}

func (in Input) fetch(ctx context.Context, outside Outside) (*File, error) {
	copied, err := temporary(in)
	if err != nil {
		return nil, err
	}
	name, err := outside.Fetch(ctx, in.Path, copied)
	if err != nil {
		_ = copied.Close() // it goes
		return nil, fmt.Errorf("%s: %w", escape.Name(in.Name()), err)
	}
	return &File{File: copied, input: in, name: wire.Name(name)}, nil
}

func spool(ctx context.Context, in Input, from *os.File, tell func(have, size int64)) (*File, error) {
	copied, err := temporary(in)
	if err != nil {
		return nil, err
	}
	// A read from a terminal or a pipe can't be interrupted; it is left to
	// itself, and ends with the process.
	done := make(chan error, 1)
	source := &noting{from: from, size: -1, tell: tell}
	if info, err := from.Stat(); err == nil && info.Mode().IsRegular() {
		source.size = info.Size()
	}
	go func() {
		_, err := io.Copy(copied, source)
		done <- err
	}()
	select {
	case err = <-done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if source.failed != nil {
		_ = copied.Close()
		return nil, fmt.Errorf("%s can't be read: %w. Check where it comes from", escape.Name(in.Name()), errors.Unwrap(source.failed))
	}
	if err != nil {
		_ = copied.Close()
		return nil, fmt.Errorf("copying %s to a temporary file: %w. Set TMPDIR to a folder with room", escape.Name(in.Name()), err)
	}
	return &File{File: copied, Nameless: true, input: in, name: in.Name()}, nil
}

// noting keeps why a file could not be read, since an error of io.Copy does not
// say which of the two files it is of, and tells how much was.
type noting struct {
	from       *os.File
	failed     error
	have, size int64
	tell       func(have, size int64)
}

func (n *noting) Read(p []byte) (int, error) {
	read, err := n.from.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		n.failed = err
	}
	if n.have += int64(read); n.tell != nil {
		n.tell(n.have, n.size)
	}
	return read, err
}

// temporary makes a file that goes when it is closed.
func temporary(in Input) (*os.File, error) {
	copied, err := os.CreateTemp("", "streamgauge-input-*")
	if err != nil {
		return nil, fmt.Errorf("no temporary file for a copy of %s: %w. Set TMPDIR to a folder with room", escape.Name(in.Name()), err)
	}
	if err := os.Remove(copied.Name()); err != nil {
		_ = copied.Close()
		return nil, fmt.Errorf("temporary file: %w", err)
	}
	return copied, nil
}

func explain(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: no such file. Check the path", escape.Name(path))
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: not allowed to read it. Check its permissions", escape.Name(path))
	}
	return fmt.Errorf("%s: can't be opened: %w. Check the path", escape.Name(path), errors.Unwrap(err))
}
