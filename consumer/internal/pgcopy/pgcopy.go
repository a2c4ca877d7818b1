// Package pgcopy writes rows in PostgreSQL's binary COPY format, as described
// under "Binary Format" at https://www.postgresql.org/docs/current/sql-copy.html.
// Text COPY would end silently at a line holding only `\.`.
package pgcopy

import (
	"encoding/binary"
	"io"
	"slices"

	"github.com/streamgauge/streamgauge/shared/record"
)

// Statement is the COPY whose columns the rows of this package have.
const Statement = `COPY prices (source_id, line, "timestamp", user_id, price) FROM STDIN (FORMAT binary)`

// MicrosecondsTo2000 lies between the epoch of Unix and PostgreSQL's.
const MicrosecondsTo2000 = 946_684_800_000_000

// A row is a field count, four fields of fixed length, and the price last, so
// that a row's end is found from one length.
const (
	fields       = 5
	sourceOffset = 2 + 4
	priceOffset  = 2 + (4 + 4) + 3*(4+8)
	maxRow       = priceOffset + maxNumeric
)

var (
	header  = []byte("PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	trailer = []byte{0xff, 0xff}
)

// AppendRow appends row as one tuple, with source id 0: SetSource sets it when
// the database has said what it is.
func AppendRow(dst []byte, row *record.Row) []byte {
	dst = slices.Grow(dst, maxRow)
	b := dst[len(dst) : len(dst)+maxRow]
	binary.BigEndian.PutUint16(b[0:], fields)
	binary.BigEndian.PutUint32(b[2:], 4)
	binary.BigEndian.PutUint32(b[6:], 0)
	binary.BigEndian.PutUint32(b[10:], 8)
	binary.BigEndian.PutUint64(b[14:], uint64(row.Line))
	binary.BigEndian.PutUint32(b[22:], 8)
	binary.BigEndian.PutUint64(b[26:], uint64(row.Timestamp-MicrosecondsTo2000))
	binary.BigEndian.PutUint32(b[34:], 8)
	binary.BigEndian.PutUint64(b[38:], uint64(row.UserID))
	return dst[:len(dst)+priceOffset+putNumeric(b[priceOffset:], &row.Price)]
}

// SetSource sets the source id in all of rows, which AppendRow made.
func SetSource(rows []byte, sourceID int32) {
	for len(rows) > 0 {
		binary.BigEndian.PutUint32(rows[sourceOffset:], uint32(sourceID))
		next := priceOffset + 4
		if length := int32(binary.BigEndian.Uint32(rows[priceOffset:])); length > 0 {
			next += int(length)
		}
		rows = rows[next:]
	}
}

// NewReader returns the input of Statement: header, chunks of rows, trailer.
func NewReader(chunks [][]byte) io.Reader {
	return &reader{chunks: append(append([][]byte{header}, chunks...), trailer)}
}

// reader joins the chunks into as few reads as fit: each becomes a message of
// PostgreSQL's protocol.
type reader struct{ chunks [][]byte }

func (r *reader) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) && len(r.chunks) > 0 {
		copied := copy(p[n:], r.chunks[0])
		n += copied
		if r.chunks[0] = r.chunks[0][copied:]; len(r.chunks[0]) == 0 {
			r.chunks = r.chunks[1:]
		}
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}
