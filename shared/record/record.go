package record

import "bytes"

// Limits of one record. They are part of the agreement between producer and
// consumer: see the package documentation.
const (
	// MaxLength is the most bytes of one record, its line end not counted.
	MaxLength = 64 << 10

	// MaxQuotedBytes is the most bytes between a quote that opens a field and
	// the one that closes it, a line end counting as one.
	MaxQuotedBytes = 64 << 10

	// MaxQuotedLines is the most lines that one quoted field may lie on.
	MaxQuotedLines = 100
)

// Fault says what is wrong with how a record was cut. The zero value means
// nothing is.
type Fault uint8

const (
	// OpenQuote marks a record in which a quote opens that is not closed within
	// the limits. The record ends with the line where that quote opened.
	OpenQuote Fault = iota + 1

	// TooLong marks a record of more than MaxLength bytes.
	TooLong
)

// String returns the fault's name, "" for none.
func (f Fault) String() string {
	switch f {
	case OpenQuote:
		return "open quote"
	case TooLong:
		return "too long"
	default:
		return ""
	}
}

// Record is one record as it stands in the input.
type Record struct {
	// Bytes are the record's own bytes with its line end, if it has one. Of a
	// TooLong record they are the first MaxLength bytes. They belong to the
	// Cutter, or to the body it cuts, and hold until its next Next or Reset.
	Bytes []byte

	// Line is the line on which the record starts.
	Line int64

	// Blank is the number of blank lines directly before the record.
	Blank int64

	// Fault is zero for a record that was cut cleanly.
	Fault Fault

	// Length is the number of the record's bytes without its line end, all of
	// them also when it is TooLong.
	Length int64
}

// Raw returns Bytes without the line end: "\n", "\r\n", or a lone "\r" at the
// end of the input.
func (r Record) Raw() []byte {
	if r.Fault == TooLong {
		return r.Bytes
	}
	return r.Bytes[:rawLength(r.Bytes)]
}

// rawLength returns how many bytes of b, one whole record, come before its
// line end. Only the last record of an input lacks the "\n".
func rawLength(b []byte) int {
	n := len(b)
	if n > 0 && b[n-1] == '\n' {
		n--
	}
	if n > 0 && b[n-1] == '\r' {
		n--
	}
	return n
}

// TrimBOM returns b without the UTF-8 byte order mark it may begin with. A
// Cutter takes such a mark for data, so whoever opens an input trims it first.
func TrimBOM(b []byte) []byte {
	return bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
}
