package record

import "bytes"

type mode uint8

const (
	outside mode = iota // not in a quoted part: a line end ends the record
	inside              // in a quoted part, since opened
	givenUp             // the quote at opened will not be closed: the next line end ends the record
)

// scan is how far the search for one record's end has come. It goes on where it
// stopped when more bytes have been read, so no byte is looked at twice for
// having come in pieces. Places are indexes into the Cutter's buffer.
type scan struct {
	mode  mode
	fault Fault
	start int   // the record's first byte; before at once that has been seen
	at    int   // the next byte to look at
	lines int64 // line ends before at
	end   int   // the byte after the record, once known

	opened      int   // the quote that opened last
	linesBefore int64 // line ends of the record before opened
	lineEnd     int   // the byte after the first line end behind opened; 0 while unknown
	crlf        int   // line ends since opened that are CRLF
}

// shift moves every place when the first n bytes of the buffer have gone.
func (s *scan) shift(n int) {
	s.start -= n
	s.at -= n
	s.opened -= n
	if s.lineEnd > 0 {
		s.lineEnd -= n
	}
}

// advance looks for the record's end in what the buffer holds. It returns false
// when it needs to see more, which it never does once the input has ended.
func (c *Cutter) advance() bool {
	for {
		var ended, stopped bool
		switch c.scan.mode {
		case outside:
			ended, stopped = c.advanceOutside()
		case inside:
			ended, stopped = c.advanceInside()
		case givenUp:
			return c.endAtLineEnd()
		}
		if ended || stopped {
			return ended
		}
	}
}

// advanceOutside goes to the record's end, or behind the next quote.
func (c *Cutter) advanceOutside() (ended, stopped bool) {
	s := &c.scan
	newline, quote := c.nextNewline(), c.nextQuote()
	if newline <= quote {
		ended = c.endAtLineEnd()
		return ended, !ended
	}
	s.at = quote + 1
	if quote == s.start || c.buf[quote-1] == c.delimiter {
		s.mode = inside
		s.opened, s.linesBefore, s.lineEnd, s.crlf = quote, s.lines, 0, 0
	}
	return false, false
}

// advanceInside goes behind the next quote or line end in a quoted part.
func (c *Cutter) advanceInside() (ended, stopped bool) {
	s := &c.scan
	newline, quote := c.nextNewline(), c.nextQuote()
	switch {
	case newline < quote:
		s.at = newline + 1
		s.lines++
		if c.buf[newline-1] == '\r' {
			s.crlf++
		}
		if s.lineEnd == 0 {
			s.lineEnd = s.at
		}
		if s.lines-s.linesBefore == MaxQuotedLines || s.quoted(newline) > MaxQuotedBytes {
			return c.giveUp(), false
		}

	case quote < len(c.buf):
		switch {
		case s.quoted(quote) > MaxQuotedBytes:
			return c.giveUp(), false
		case quote+1 < len(c.buf) && c.buf[quote+1] == '"':
			s.at = quote + 2
		case quote+1 < len(c.buf) || c.ended:
			s.at = quote + 1
			s.mode = outside
		default:
			s.at = quote
			return false, true
		}

	default:
		s.at = len(c.buf)
		if c.ended || s.quoted(s.at) > MaxQuotedBytes {
			return c.giveUp(), false
		}
		return false, true
	}
	return false, false
}

// quoted returns the bytes between the open quote and i, a line end counting as
// one.
func (s *scan) quoted(i int) int { return i - s.opened - 1 - s.crlf }

// giveUp makes the record end with the line on which the open quote stands. It
// returns false when that line's end is still to be found.
func (c *Cutter) giveUp() (ended bool) {
	s := &c.scan
	s.fault = OpenQuote
	if s.lineEnd == 0 {
		s.mode = givenUp
		return false
	}
	s.end = s.lineEnd
	s.lines = s.linesBefore + 1
	return true
}

// endAtLineEnd ends the record at the next line end, or at the end of the input,
// which counts as one.
func (c *Cutter) endAtLineEnd() bool {
	s := &c.scan
	s.end = c.nextNewline()
	if s.end == len(c.buf) {
		s.at = s.end
		if !c.ended {
			return false
		}
	} else {
		s.end++
	}
	s.at = s.end
	s.lines++
	return true
}

// closesOnLine says whether the record that begins at next ends with the line
// end at newline, since each quote that opens on that line is closed on it. It
// is a shortcut of advance for lines shorter than the limits; where it says no,
// nothing has changed.
func (c *Cutter) closesOnLine(newline int) bool {
	quote := seek(c.buf, c.quote, c.next, '"')
	for quote < newline {
		if quote == c.next || c.buf[quote-1] == c.delimiter {
			for {
				n := bytes.IndexByte(c.buf[quote+1:newline], '"')
				if n < 0 {
					return false
				}
				quote += 1 + n
				if c.buf[quote+1] != '"' {
					break
				}
				quote++
			}
		}
		quote = seek(c.buf, quote, quote+1, '"')
	}
	c.quote = quote
	return true
}

// nextQuote returns where the first quote at or behind the place being read is,
// the buffer's end when it holds none.
func (c *Cutter) nextQuote() int {
	c.quote = seek(c.buf, c.quote, c.scan.at, '"')
	return c.quote
}

// nextNewline does the same for the first line end.
func (c *Cutter) nextNewline() int {
	c.newline = seek(c.buf, c.newline, c.scan.at, '\n')
	return c.newline
}

// seek returns the first place of b at or behind from where buf holds it, or
// the buffer's end, given that there is none in buf[from:known].
func seek(buf []byte, known, from int, b byte) int {
	i := max(known, from)
	if i >= len(buf) || buf[i] == b {
		return i
	}
	if n := bytes.IndexByte(buf[i:], b); n >= 0 {
		return i + n
	}
	return len(buf)
}
