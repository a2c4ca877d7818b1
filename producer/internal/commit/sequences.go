package commit

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/streamgauge/streamgauge/shared/wire"
)

// sequenceSize is the bytes one batch's sequence takes.
const sequenceSize = 8

// Sequences remembers the stream sequence of each batch, on disk, so that a
// source of any size takes no memory. It is not safe for concurrent use.
type Sequences struct {
	file *os.File
}

// NewSequences keeps its file without a name in the temporary folder: it goes
// with Close, or with the process.
func NewSequences() (*Sequences, error) {
	file, err := os.CreateTemp("", "streamgauge-sequences-*")
	if err != nil {
		return nil, fmt.Errorf("no temporary file: %w. Set TMPDIR to a folder with room", err)
	}
	if err := os.Remove(file.Name()); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("temporary file: %w", err)
	}
	return &Sequences{file}, nil
}

// Close lets go of the file.
func (s *Sequences) Close() error { return s.file.Close() }

// Set remembers the sequence of a batch; the last one counts.
func (s *Sequences) Set(number int64, sequence uint64) error {
	var b [sequenceSize]byte
	binary.LittleEndian.PutUint64(b[:], sequence)
	if _, err := s.file.WriteAt(b[:], (number-1)*sequenceSize); err != nil {
		return fmt.Errorf("temporary file: %w. Set TMPDIR to a folder with room", err)
	}
	return nil
}

// Each calls visit with the sequence of every batch of r in order, zero where
// none was set, until visit returns false.
func (s *Sequences) Each(r wire.Range, visit func(number int64, sequence uint64) bool) error {
	var chunk [512 * sequenceSize]byte
	for number := r.First; number <= r.Last; {
		want := chunk[:min(int64(len(chunk)), (r.Last-number+1)*sequenceSize)]
		n, err := s.file.ReadAt(want, (number-1)*sequenceSize)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("temporary file: %w", err)
		}
		clear(want[n:])
		for ; len(want) > 0; want = want[sequenceSize:] {
			if !visit(number, binary.LittleEndian.Uint64(want)) {
				return nil
			}
			number++
		}
	}
	return nil
}
