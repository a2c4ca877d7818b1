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
	in   *reading
}

// reading is the one that is open of all that are rewound in a file: an archive
// may hold any number of them, and each takes some 40 KiB while it is open.
type reading struct {
	mu   sync.Mutex
	of   *rewound // nil while none is open
	from io.ReadCloser
	at   int64
	skip []byte
}

// ReadAt implements io.ReaderAt.
func (r *rewound) ReadAt(p []byte, off int64) (int, error) {
	in := r.in
	in.mu.Lock()
	defer in.mu.Unlock()
	if err := in.seek(r, off); err != nil {
		return 0, err
	}
	n, err := readFull(in.from, p)
	in.at += int64(n)
	return n, err
}

func (in *reading) seek(r *rewound, off int64) error {
	if in.of != r || off < in.at {
		in.close()
		from, err := r.open()
		if err != nil {
			return err
		}
		in.of, in.from, in.at = r, from, 0
	}
	if in.skip == nil && off > in.at {
		in.skip = make([]byte, 64<<10)
	}
	for in.at < off {
		n, err := readFull(in.from, in.skip[:min(off-in.at, int64(len(in.skip)))])
		in.at += int64(n)
		if err != nil {
			return err
		}
	}
	return nil
}

func (in *reading) close() {
	if in.of != nil {
		_ = in.from.Close() // repeats what a reading failed with, which has been told
		in.of, in.from = nil, nil
	}
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
