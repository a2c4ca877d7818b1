package source

import (
	"crypto/sha256"
	"hash"
	"io"
)

// ahead is how many pieces may have been read and not been digested yet.
const ahead = 4

// Digester is a first reading: it passes on what it reads, and digests it
// meanwhile in a goroutine of its own, which takes about as long as what is done
// with the bytes. It is not safe for concurrent use.
type Digester struct {
	from   io.Reader
	work   chan []byte // pieces in the order of the file
	free   chan []byte // pieces that were digested, to be used again
	made   int         // pieces
	result chan Fingerprint
	closed bool
}

// NewDigester returns a Digester reading from a file's first byte on. Close ends
// it.
func NewDigester(from io.Reader) *Digester {
	d := &Digester{
		from: from,
		work: make(chan []byte, ahead), free: make(chan []byte, ahead), result: make(chan Fingerprint, 1),
	}
	go d.digest()
	return d
}

// Read implements io.Reader.
func (d *Digester) Read(p []byte) (int, error) {
	n, err := d.from.Read(p)
	if n > 0 {
		d.work <- append(d.piece(), p[:n]...)
	}
	return n, err
}

// piece returns an empty buffer, and waits for one when all are in use.
func (d *Digester) piece() []byte {
	if d.made < ahead {
		d.made++
		return nil
	}
	return (<-d.free)[:0]
}

// Fingerprint is to be asked once, after Read has returned io.EOF.
func (d *Digester) Fingerprint() Fingerprint {
	d.Close()
	return <-d.result
}

// Close ends the goroutine once it has digested what was read. Nothing may be
// read after it.
func (d *Digester) Close() {
	if !d.closed {
		close(d.work)
		d.closed = true
	}
}

func (d *Digester) digest() {
	f, h := Fingerprint{}, sha256.New()
	for piece := range d.work {
		f.add(h, piece)
		d.free <- piece
	}
	f.Digest = digest(h.Sum(nil))
	if f.Size%blockSize != 0 {
		f.upTo = append(f.upTo, f.Digest)
	}
	d.result <- f
}

// add adds the bytes that follow what h has digested.
func (f *Fingerprint) add(h hash.Hash, p []byte) {
	for len(p) > 0 {
		part := p[:min(int64(len(p)), blockSize-f.Size%blockSize)]
		h.Write(part)
		f.Size += int64(len(part))
		p = p[len(part):]
		if f.Size%blockSize == 0 {
			f.upTo = append(f.upTo, digest(h.Sum(nil)))
		}
	}
}
