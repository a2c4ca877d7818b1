package tally

import (
	"math"
	"unsafe"

	"github.com/streamgauge/streamgauge/shared/record"
)

// dayLength is a day in microseconds: timestamps know no leap seconds.
const dayLength = 24 * 60 * 60 * 1_000_000

// Sheet notes the rows of a batch one by one, to be added up once it is known
// which batches a transaction has. The zero value is empty. It is not safe for
// concurrent use.
type Sheet struct {
	// Rows counts rows; Count counts those with a price.
	Rows, Count int64
	// First and Last are the least and greatest timestamp in microseconds since
	// 1970; meaningless while Rows is zero.
	First, Last int64

	notes []note
	wide  []record.Decimal // prices whose coefficient does not fit a note

	// The day of the last row, and when it begins, as First.
	day   int32
	begin int64
	// unordered says that a row is of an earlier day than the one before it.
	unordered bool
}

// note is a row as far as it is added up.
type note struct {
	value int64 // the coefficient, or where in wide the price is
	day   int32
	scale uint8
	kind  kind
}

type kind uint8

const (
	small64 kind = iota
	null
	wide
)

// NewSheet returns an empty Sheet with room for so many rows.
func NewSheet(rows int) Sheet { return Sheet{notes: make([]note, 0, rows)} }

// Emptied returns an empty Sheet that takes the room of s, which is not used any
// more then.
func (s *Sheet) Emptied() Sheet { return Sheet{notes: s.notes[:0]} }

// Room is for how many rows the Sheet has room, in all.
func (s *Sheet) Room() int { return cap(s.notes) }

// NoteSize is what a row takes in a Sheet, in bytes.
const NoteSize = int(unsafe.Sizeof(note{}))

// Add notes one row.
func (s *Sheet) Add(row *record.Row) {
	if s.Rows == 0 || row.Timestamp < s.First {
		s.First = row.Timestamp
	}
	if s.Rows == 0 || row.Timestamp > s.Last {
		s.Last = row.Timestamp
	}
	s.Rows++
	if uint64(row.Timestamp-s.begin) >= dayLength {
		s.turn(row.Timestamp)
	}
	n := note{day: s.day, scale: row.Price.Scale}
	switch price := &row.Price; {
	case price.Null:
		n.kind = null
		s.notes = append(s.notes, n)
		return
	case price.Hi != 0 || price.Lo > math.MaxInt64:
		n.kind, n.value = wide, int64(len(s.wide))
		s.wide = append(s.wide, *price)
	case price.Negative:
		n.value = -int64(price.Lo)
	default:
		n.value = int64(price.Lo)
	}
	s.Count++
	s.notes = append(s.notes, n)
}

// turn goes to the day of a timestamp.
func (s *Sheet) turn(timestamp int64) {
	day := timestamp / dayLength
	if timestamp%dayLength < 0 {
		day--
	}
	s.unordered = s.unordered || len(s.notes) > 0 && day < int64(s.day)
	s.day, s.begin = int32(day), day*dayLength
}
