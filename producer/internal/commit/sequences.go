package commit

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/streamgauge/streamgauge/shared/wire"
)

const (
	// sequenceSize is the bytes one batch's sequence takes.
	sequenceSize = 8
	// chunkBatches are the batches that are written and read at a time.
	chunkBatches = 512
)

// chunk is the sequences of the batches from 1+chunkBatches*index on.
type chunk [chunkBatches * sequenceSize]byte

// Sequences remembers the stream sequence of each batch, on disk, so that a
// source of any size takes no memory. Nil remembers nothing. It is not safe for
// concurrent use. What Set and Each fail with is a *TemporaryError.
type Sequences struct {
	file *os.File
	// last is the chunk of the sequence that was set last, since the next one is
	// likely of it too; index is which it is, and dirty says that it is not written.
	last  chunk
	index int64
	dirty bool
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
	return &Sequences{file: file}, nil
}

// Close lets go of the file.
func (s *Sequences) Close() error {
	if s == nil {
		return nil
	}
	return s.file.Close()
}

// Set remembers the sequence of a batch; the last one counts.
func (s *Sequences) Set(number int64, sequence uint64) error {
	if s == nil {
		return nil
	}
	index, at := (number-1)/chunkBatches, (number-1)%chunkBatches*sequenceSize
	if index != s.index {
		if err := s.flush(); err != nil {
			return err
		}
		if err := s.read(s.last[:], index*int64(len(s.last))); err != nil {
			return err
		}
		s.index = index
	}
	binary.LittleEndian.PutUint64(s.last[at:], sequence)
	s.dirty = true
	return nil
}

// flush writes what is in memory only.
func (s *Sequences) flush() error {
	if !s.dirty {
		return nil
	}
	if _, err := s.file.WriteAt(s.last[:], s.index*int64(len(s.last))); err != nil {
		return &TemporaryError{err}
	}
	s.dirty = false
	return nil
}

// read fills into from a place in the file on, with zeros behind its end.
func (s *Sequences) read(into []byte, offset int64) error {
	n, err := s.file.ReadAt(into, offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return &TemporaryError{err}
	}
	clear(into[n:])
	return nil
}

// Each calls visit with the sequence of every batch of r in order, zero where
// none was set, until visit returns false.
func (s *Sequences) Each(r wire.Range, visit func(number int64, sequence uint64) bool) error {
	if err := s.flush(); err != nil {
		return err
	}
	var buffer chunk
	for number := r.First; number <= r.Last; {
		want := buffer[:min(int64(len(buffer)), (r.Last-number+1)*sequenceSize)]
		if err := s.read(want, (number-1)*sequenceSize); err != nil {
			return err
		}
		for ; len(want) > 0; want = want[sequenceSize:] {
			if !visit(number, binary.LittleEndian.Uint64(want)) {
				return nil
			}
			number++
		}
	}
	return nil
}
