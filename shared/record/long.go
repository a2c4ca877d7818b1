package record

import (
	"crypto/sha256"
	"hash"
)

// long is what is known of a TooLong record. Either all of it lies in the
// buffer, or its front has been dropped, its first bytes kept aside.
type long struct {
	whole   []byte
	head    []byte // the first MaxLength bytes, when dropped > 0
	dropped int64  // bytes that have gone from the buffer
	digest  hash.Hash
}

// forget makes l ready for another record.
func (l *long) forget() {
	l.whole, l.dropped = nil, 0
}

// dropLong lets go of the part of the record being scanned that can only be the
// front of a TooLong one, before more is read.
func (c *Cutter) dropLong() {
	s := &c.scan
	// Everything from an open quote on may turn out to be other records, and
	// the last byte may turn out to be the CR of the line end.
	sure := s.at - 1
	if s.mode == inside {
		sure = s.opened
	}
	if c.long.dropped == 0 && sure-c.next <= MaxLength || sure <= c.next {
		return
	}
	if c.long.dropped == 0 {
		c.long.begin(c.buf[c.next : c.next+MaxLength])
	}
	c.long.add(c.buf[c.next:sure])
	c.long.dropped += int64(sure - c.next)
	c.next = sure
}

func (l *long) begin(head []byte) {
	l.head = append(l.head[:0], head...)
	if l.digest == nil {
		l.digest = sha256.New()
	}
	l.digest.Reset()
}

func (l *long) add(b []byte) {
	l.digest.Write(b) // never fails, by hash.Hash's contract
}

// Digest returns the SHA-256 of all bytes of the record that the last Next
// returned, without its line end. It may be asked only of a TooLong record.
func (c *Cutter) Digest() (sum [sha256.Size]byte) {
	switch {
	case c.long.dropped > 0:
		c.long.digest.Sum(sum[:0])
	case c.long.whole != nil:
		sum = sha256.Sum256(c.long.whole)
	}
	return sum
}
