package record

import (
	"bytes"
	"errors"
	"io"
)

const (
	// bufferSize bounds what a streaming Cutter holds. The most that it has to
	// keep while it asks for more is a record's first MaxLength bytes and an
	// open quote of MaxQuotedBytes behind them: half of it.
	bufferSize = 256 << 10

	// readSize is the least room offered to a read. What is kept moves to the
	// front of the buffer only when there is less, so a reader that gives a
	// byte at a time does not make it move for each.
	readSize = 48 << 10

	// maxEmptyReads is how often a reader may return neither bytes nor an error
	// before that counts as an error, as in bufio.
	maxEmptyReads = 100
)

var errReadCount = errors.New("record: reader returned an impossible count")

// Cutter cuts an input into records, by the rules of the package
// documentation. It is not safe for concurrent use.
type Cutter struct {
	reader    io.Reader // nil when a body is cut
	delimiter byte
	buf       []byte // what was read and may still be needed, or the body
	ended     bool   // the input has been read to its end
	failed    error  // why nothing more can be read

	next int   // where in buf the next record begins
	line int64 // the line at next

	// Where the next quote and line end are, as far as it is known: there is
	// none in buf between the place being read and them. The byte there is one
	// or has not been looked at.
	quote   int
	newline int

	scan scan
	long long
}

// NewCutter returns a Cutter that reads from r, which begins at line firstLine
// of the input (1 for a whole file). It holds one buffer of 256 KiB, and 64 KiB
// more once it has met a TooLong record, whatever r gives.
func NewCutter(r io.Reader, delimiter byte, firstLine int64) *Cutter {
	return &Cutter{reader: r, delimiter: delimiter, buf: make([]byte, 0, bufferSize), line: firstLine}
}

// NewBodyCutter returns a Cutter over body, which begins at line firstLine of
// the input. The body is neither copied nor written to; the records it returns
// are slices of it.
func NewBodyCutter(body []byte, delimiter byte, firstLine int64) *Cutter {
	c := new(Cutter)
	c.Reset(body, delimiter, firstLine)
	return c
}

// Reset makes c cut another body, without allocating. A Cutter that was reading
// from a reader lets go of it and of its buffer.
func (c *Cutter) Reset(body []byte, delimiter byte, firstLine int64) {
	c.reader, c.delimiter = nil, delimiter
	c.buf, c.ended, c.failed = body, true, nil
	c.next, c.line = 0, firstLine
	c.quote, c.newline = 0, 0
	c.scan = scan{}
	c.long.forget()
}

// Line returns the line after the last record returned: the one at which the
// next record is looked for. Before the first Next it is the first line.
func (c *Cutter) Line() int64 { return c.line }

// Next returns the next record. At the end of the input it returns io.EOF and a
// Record that holds no more than the number of blank lines skipped since the
// last one. An error of the reader is returned as it is, after the records that
// were complete before it, and again by every later call; what was read of the
// record it struck is dropped. A reader that keeps returning nothing at all
// gives io.ErrNoProgress.
func (c *Cutter) Next() (Record, error) {
	// The common case: a line that is not blank and leaves no quote open.
	i := bytes.IndexByte(c.buf[c.next:], '\n')
	if i > 0 && i <= MaxLength && c.buf[c.next] != '\r' && (c.next+i < c.quote || c.closesOnLine(c.next+i)) {
		end := c.next + i + 1
		rec := Record{Bytes: c.buf[c.next:end:end], Line: c.line, Length: int64(i)}
		if c.buf[end-2] == '\r' {
			rec.Length--
		}
		c.next = end
		c.line++
		return rec, nil
	}
	return c.scanRecord()
}

// scanRecord is Next for any record.
func (c *Cutter) scanRecord() (Record, error) {
	blank, err := c.skipBlankLines()
	if err != nil {
		return Record{Line: c.line + blank, Blank: blank}, err
	}
	c.newline = c.next
	c.scan = scan{start: c.next, at: c.next}
	c.long.forget()
	for !c.advance() {
		if c.failed != nil {
			return Record{}, c.fail()
		}
		c.dropLong()
		c.read()
	}
	return c.take(blank), nil
}

// skipBlankLines moves next to the first line that is not blank and returns how
// many were. Its error is what ended the input, when no such line is left.
func (c *Cutter) skipBlankLines() (int64, error) {
	var blank int64
	for {
		for c.next < len(c.buf) && c.buf[c.next] == '\n' {
			c.next++
			blank++
		}
		rest := c.buf[c.next:]
		switch {
		case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
			c.next += 2
			blank++
		case len(rest) > 1 || len(rest) == 1 && rest[0] != '\r':
			return blank, nil
		case c.ended:
			if len(rest) == 1 {
				c.next++
				blank++
			}
			return blank, io.EOF
		case c.failed != nil:
			return 0, c.fail()
		default:
			c.read()
		}
	}
}

// take returns the record whose end the scan has found, and moves on behind it.
func (c *Cutter) take(blank int64) Record {
	s := &c.scan
	rec := Record{Line: c.line + blank, Blank: blank, Fault: s.fault}
	raw := rawLength(c.buf[c.next:s.end])
	switch {
	case c.long.dropped > 0:
		rec.Fault = TooLong
		rec.Length = c.long.dropped + int64(raw)
		c.long.add(c.buf[c.next : c.next+raw])
		rec.Bytes = c.long.head[:MaxLength:MaxLength]
	case raw > MaxLength:
		rec.Fault = TooLong
		rec.Length = int64(raw)
		c.long.whole = c.buf[c.next : c.next+raw]
		rec.Bytes = c.buf[c.next : c.next+MaxLength : c.next+MaxLength]
	default:
		rec.Length = int64(raw)
		rec.Bytes = c.buf[c.next:s.end:s.end]
	}
	c.line = rec.Line + s.lines
	c.next = s.end
	if s.fault == OpenQuote || c.quote < c.next {
		c.quote = c.next
	}
	return rec
}

// read appends to the buffer what one successful read gives, or sets ended or
// failed. It forgets what lies before next.
func (c *Cutter) read() {
	if cap(c.buf)-len(c.buf) < readSize {
		gone := c.next
		c.buf = c.buf[:copy(c.buf, c.buf[gone:])]
		c.next = 0
		c.quote = max(0, c.quote-gone)
		c.newline = max(0, c.newline-gone)
		c.scan.shift(gone)
	}
	room := c.buf[len(c.buf):cap(c.buf)]
	for range maxEmptyReads {
		n, err := c.reader.Read(room)
		if n < 0 || n > len(room) {
			c.failed = errReadCount
			return
		}
		c.buf = c.buf[:len(c.buf)+n]
		if err == io.EOF {
			c.ended = true
		} else {
			c.failed = err
		}
		if n > 0 || err != nil {
			return
		}
	}
	c.failed = io.ErrNoProgress
}

// fail drops what is left and returns the reader's error.
func (c *Cutter) fail() error {
	c.buf = c.buf[:0]
	c.next, c.quote, c.newline = 0, 0, 0
	return c.failed
}
