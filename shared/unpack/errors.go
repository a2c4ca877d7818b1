package unpack

import (
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/klauspost/compress/zstd"
)

// CorruptError says why a file can't be unpacked, with the remedy.
type CorruptError struct {
	Reason, Remedy string
	Cause          error // nil where there is no other than the reason
}

func (e *CorruptError) Error() string { return fmt.Sprintf("%s. %s", e.Reason, e.Remedy) }

func (e *CorruptError) Unwrap() error { return e.Cause }

var (
	errEncrypted = errors.New("encrypted")
	errDirectory = errors.New("directory too large")
)

// noting is a file that remembers why it could not be read: decoders have no
// common form for what is wrong with their input, but what is not the file's
// own failure must be that. It also reads left bytes at most, any number when
// left is negative.
type noting struct {
	file   io.ReaderAt
	left   int64
	failed error
}

func (f *noting) ReadAt(p []byte, off int64) (int, error) {
	if f.left >= 0 {
		if f.left -= int64(len(p)); f.left < 0 {
			f.left = 0
			return 0, errDirectory
		}
	}
	n, err := f.file.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		f.failed = err
	}
	return n, err
}

// explain gives what a decoder said a cause and a remedy.
func (f *noting) explain(err error) error {
	if f.failed != nil {
		return f.failed
	}
	e := &CorruptError{Remedy: "Copy or download it again", Cause: err}
	switch {
	case errors.Is(err, errEncrypted):
		e.Reason, e.Remedy = "it is encrypted", "Unzip it with its password, and name the files"
	case errors.Is(err, errDirectory):
		e.Reason, e.Remedy = "it is a zip archive of too many files", "Unzip it, and name the files"
	case errors.Is(err, zip.ErrAlgorithm):
		e.Reason, e.Remedy = "it is compressed with another method than deflate", "Unzip it, and name the files"
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		e.Reason = "it takes more than 8 MiB of memory to decompress"
		e.Remedy = "Compress it again without --ultra and --long, or pipe it: 'zstd -dc --long=31 FILE | producer -'"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		e.Reason = "it is compressed, and cut off before its end"
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, zip.ErrChecksum), errors.Is(err, zstd.ErrCRCMismatch):
		e.Reason = "it is compressed, and damaged: its checksum is another"
	default:
		e.Reason = "it is compressed, and damaged or cut off"
	}
	return e
}

// Explain gives an error that the system reports of reading a file a remedy, and
// leaves out the path, which is for the caller to name. Others stay as they are.
func Explain(err error) error {
	if failed, is := errors.AsType[*fs.PathError](err); is && failed.Op == "read" {
		return fmt.Errorf("it can't be read: %w. Check the disk or network that it is on, then run the same command again", failed.Err)
	}
	return err
}
