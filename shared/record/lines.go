package record

import (
	"encoding/binary"
	"math/bits"
)

// Lines returns, in one piece, records that follow each other without a blank
// line between or before them and that are one line each, with its line end and
// without a quote; as Next would return them one by one. There are at most limit
// of them, and at most size bytes. It returns none where the next record is not
// of that kind, or not in the buffer whole, or longer than size: Next has it
// then. It is many times faster than Next. The bytes belong to whom those of a
// Record belong, and hold as long.
func (c *Cutter) Lines(limit, size int) (lines []byte, count int) {
	c.quote = seek(c.buf, c.quote, c.next, '"')
	// Within MaxLength no line can be too long.
	ready := c.buf[c.next:min(c.quote, c.next+min(size, MaxLength))]
	end, count := plainLines(ready, limit)
	lines = ready[:end:end]
	c.next += end
	c.line += int64(count)
	return lines, count
}

// plainLines returns how many lines b begins with, at most limit, before one that
// is blank or has no end in b, and where the last of them ends. A line that
// begins with CR counts as blank, which not each of them is.
func plainLines(b []byte, limit int) (end, count int) {
	start := uint64(topBit) // the first byte begins a line
	for at := 0; at < len(b) && count < limit; at += 8 {
		word := load(b[at:])
		newlines := equal(word, '\n')
		starts := newlines<<8 | start
		start = newlines >> 56
		blank := starts & (newlines | equal(word, '\r'))
		if blank != 0 {
			newlines &= blank&-blank - 1
		}
		if newlines != 0 {
			for n := count + bits.OnesCount64(newlines) - limit; n > 0; n-- {
				newlines &^= 1 << (63 - bits.LeadingZeros64(newlines))
			}
			count += bits.OnesCount64(newlines)
			end = at + 8 - bits.LeadingZeros64(newlines)/8
		}
		if blank != 0 {
			break
		}
	}
	return end, count
}

// A word is eight bytes, the first of them lowest. What is true of a byte is the
// top bit of its place.
const (
	everyByte = 0x0101010101010101
	topBit    = 0x80
	topBits   = everyByte * topBit
)

// load returns the first eight bytes of b, zeros where it has fewer.
func load(b []byte) uint64 {
	if len(b) >= 8 {
		return binary.LittleEndian.Uint64(b)
	}
	var word uint64
	for i, char := range b {
		word |= uint64(char) << (8 * i)
	}
	return word
}

// equal says which bytes of word are char. Unlike the shorter formula that
// borrows across bytes, it is exact for each of them.
func equal(word uint64, char byte) uint64 {
	word ^= everyByte * uint64(char)
	return ^((word&^topBits + ^uint64(topBits)) | word) & topBits
}
