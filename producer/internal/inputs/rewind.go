package inputs

import (
	"errors"
	"io"
	"sync"
)

// rewound is what can only be read from its beginning on, read at any place: a
// place behind the last one begins anew. Readings from front to back, which all
// of the producer's are, so cost one decompression each, and neither disk nor
// memory. It is safe for concurrent use, though slow then.
type rewound struct {
	open func() (io.ReadCloser, error)

	mu   sync.Mutex
	from io.ReadCloser // nil before the first reading
	at   int64
	skip []byte
}

// ReadAt implements io.ReaderAt.
func (r *rewound) ReadAt(p []byte, off int64) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.seek(off); err != nil {
		return 0, err
	}
	n, err := readFull(r.from, p)
	r.at += int64(n)
	return n, err
}

func (r *rewound) seek(off int64) error {
	if r.from == nil || off < r.at {
		// Closing repeats what a reading failed with, which has been told.
		_ = r.Close()
		from, err := r.open()
		if err != nil {
			return err
		}
		r.from, r.at = from, 0
	}
	if r.skip == nil && off > r.at {
		r.skip = make([]byte, 64<<10)
	}
	for r.at < off {
		n, err := readFull(r.from, r.skip[:min(off-r.at, int64(len(r.skip)))])
		r.at += int64(n)
		if err != nil {
			return err
		}
	}
	return nil
}

// readFull is io.ReadFull, but for io.EOF being the end also after some bytes,
// and any other error being the reader's own.
func readFull(from io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var more int
		more, err = from.Read(p[n:])
		n += more
	}
	if n == len(p) && errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

// Close lets go of the reading in hand.
func (r *rewound) Close() error {
	if r.from == nil {
		return nil
	}
	from := r.from
	r.from = nil
	return from.Close()
}
