// Package unpack finds the CSVs in a file: the file itself, what gzip or
// Zstandard made of it, or those in a zip archive. The first bytes tell which it
// is, never the name. What a source's identity is the digest of, and what it is
// called, both producer and consumer learn here.
package unpack

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// Separator stands between the name of an archive and that of a file in it.
const Separator = "!"

const (
	// maxWindow is what a Zstandard frame may ask to be remembered: the 8 MiB
	// that RFC 8878, section 3.1.1.1.2, wants every decoder to allow.
	maxWindow = 8 << 20
	// maxDirectory is how much of a zip archive is read to find out what is in
	// it; it is in memory while the archive is open, where an entry takes some
	// 350 bytes. Here it takes 46 bytes and its name.
	maxDirectory = 3 << 20
)

// The first bytes of each format, from RFC 1952, RFC 8878 and the specification
// of zip, of which the second is that of an empty archive.
var (
	gzipMagic = []byte{0x1f, 0x8b}
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}
	zipMagics = [][]byte{[]byte("PK\x03\x04"), []byte("PK\x05\x06")}
)

// CSV is one source in a file. It stays usable while the file is open.
type CSV struct {
	// Path is where it is in a zip archive, empty if it is in none.
	Path string

	file   *noting
	packed bool
	open   func(io.Reader) (io.ReadCloser, error)
}

// Name is what the source is called if its file is called name.
func (c CSV) Name(name string) string {
	if c.Path == "" {
		return name
	}
	return name + Separator + c.Path
}

// Packed says that the file is not the CSV itself.
func (c CSV) Packed() bool { return c.packed }

// Open returns its bytes, unpacked, from the first on. Its errors, and those of
// reading, are a *CorruptError where the file can't be unpacked.
func (c CSV) Open() (io.ReadCloser, error) {
	whole := io.NewSectionReader(c.file, 0, 1<<62)
	if !c.packed {
		return io.NopCloser(whole), nil
	}
	unpacked, err := c.open(whole)
	if err != nil {
		return nil, c.file.explain(err)
	}
	return &unpacking{unpacked, c.file}, nil
}

// Find returns what file, which has size bytes, holds: one CSV whose Path is
// empty, or those of a zip archive in its order, one at least. It reads the
// file's beginning, and a zip archive's end. The error is a *CorruptError if the
// file can't be unpacked. The CSVs of one file are not to be read concurrently.
func Find(file io.ReaderAt, size int64) ([]CSV, error) {
	start := make([]byte, 4)
	n, err := file.ReadAt(start, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	begins := func(magic []byte) bool { return bytes.HasPrefix(start[:n], magic) }
	noted := &noting{file: file, left: -1}
	switch {
	case begins(gzipMagic):
		return []CSV{{file: noted, packed: true, open: openGzip}}, nil
	case begins(zstdMagic):
		return []CSV{{file: noted, packed: true, open: openZstd}}, nil
	case slices.ContainsFunc(zipMagics, begins):
		return findInZip(noted, size)
	}
	return []CSV{{file: noted}}, nil
}

func openZstd(from io.Reader) (io.ReadCloser, error) {
	decoder, err := zstd.NewReader(from, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, err
	}
	return decoder.IOReadCloser(), nil
}

func findInZip(file *noting, size int64) ([]CSV, error) {
	file.left = maxDirectory
	archive, err := zip.NewReader(file, size)
	file.left = -1
	if err != nil {
		return nil, file.explain(err)
	}
	var found []CSV
	for _, entry := range archive.File {
		if !isCSV(entry.Name) {
			continue
		}
		found = append(found, CSV{Path: entry.Name, file: file, packed: true, open: func(io.Reader) (io.ReadCloser, error) {
			if entry.Flags&encrypted != 0 {
				return nil, errEncrypted
			}
			return entry.Open()
		}})
	}
	if len(found) == 0 && slices.ContainsFunc(archive.File, func(f *zip.File) bool { return f.Name == officeDirectory }) {
		return nil, &CorruptError{Reason: "it is an Excel workbook, or another Office file", Remedy: "Save it as CSV, and name that"}
	}
	if len(found) == 0 {
		return nil, &CorruptError{Reason: "it is a zip archive without a .csv file", Remedy: "Name another file"}
	}
	return found, nil
}

// officeDirectory is in each file of Office Open XML, which is a zip archive.
const officeDirectory = "[Content_Types].xml"

// encrypted is bit 0 of a zip entry's general purpose flags.
const encrypted = 1

// isCSV leaves out folders, hidden files, and what macOS keeps beside a file.
func isCSV(name string) bool {
	base := path.Base(name)
	return strings.EqualFold(path.Ext(base), ".csv") && !strings.HasPrefix(base, ".") &&
		!strings.HasSuffix(name, "/") && !strings.HasPrefix(name, "__MACOSX/")
}

// unpacking explains the errors of what it reads from.
type unpacking struct {
	from io.ReadCloser
	file *noting
}

func (u *unpacking) Read(p []byte) (int, error) {
	n, err := u.from.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = u.file.explain(err)
	}
	return n, err
}

func (u *unpacking) Close() error { return u.from.Close() }
