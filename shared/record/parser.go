package record

import (
	"bytes"
	"math/bits"
)

// Row is what one good record says.
type Row struct {
	// Line is the line on which the record starts.
	Line int64

	// Timestamp is in microseconds since 1970-01-01 00:00 UTC. Its year as
	// written is 0001 to 9999, so it lies in the range of PostgreSQL's
	// timestamptz.
	Timestamp int64

	// Price is null when the field was empty.
	Price Decimal

	UserID int64
}

// Reject says why a record can't be stored.
type Reject struct {
	// Line is the line on which the record starts.
	Line int64

	// Column is "timestamp", "price" or "user_id", or "" when the reason
	// concerns the whole record.
	Column string

	Reason Reason
}

// The columns that a Reject may name.
const (
	columnTimestamp = "timestamp"
	columnPrice     = "price"
	columnUserID    = "user_id"
)

// Parser reads the records of one source into rows. It is not safe for
// concurrent use.
type Parser struct {
	format    Format
	delimiter byte
	point     byte
	quick     bool    // see parseQuick
	layout    *layout // nil for the built-in timestamp formats
	zone      *zone   // nil for UTC
	date      date    // the last that the built-in formats read

	ends    []int    // where each field of the record being read ends, if it has no quotes
	fields  [][]byte // its fields, if it has
	scratch []byte   // unquoted content of those
}

// NewParser returns a Parser for records of the given format. Its error is what
// Validate says of the format.
func NewParser(f Format) (*Parser, error) {
	layout, zone, err := f.compile()
	if err != nil {
		return nil, err
	}
	return &Parser{
		format: f, delimiter: f.Comma(), point: f.point(), quick: f.quick(),
		layout: layout, zone: zone, ends: make([]int, f.Fields),
	}, nil
}

// Parse reads one record. It returns either a row and nil, or a Reject, and
// then the row means nothing. Columns are looked at in the order timestamp,
// price, user_id; the first that is wrong is the one the Reject names. Neither
// keeps a reference to the record. A good row allocates nothing, unless its
// timestamp is read with a zone by a strptime format.
func (p *Parser) Parse(rec Record) (Row, *Reject) {
	row := Row{Line: rec.Line}
	switch rec.Fault {
	case 0:
	case OpenQuote:
		return row, &Reject{Line: rec.Line, Reason: ReasonOpenQuote}
	default:
		return row, &Reject{Line: rec.Line, Reason: ReasonTooLong}
	}

	timestamp, price, userID, reason := p.split(rec.Raw())
	if reason != "" {
		return row, &Reject{Line: rec.Line, Reason: reason}
	}
	reject := p.read(&row, timestamp, price, userID)
	return row, reject
}

// ParseLine is Parse for the first of lines that Cutter.Lines returned; line is
// its number, and end where it ends in lines, line end included.
func (p *Parser) ParseLine(lines []byte, line int64, row *Row) (end int, reject *Reject) {
	row.Line = line
	if p.quick {
		if end := p.parseQuick(lines, row); end > 0 {
			return end, nil
		}
	}
	end, fits := p.splitLine(lines)
	if !fits {
		end = bytes.IndexByte(lines, '\n') + 1
		_, _, _, reason := p.split(lines[:rawLength(lines[:end])])
		return end, &Reject{Line: line, Reason: reason}
	}
	raw, f := lines[:p.ends[len(p.ends)-1]], &p.format
	return end, p.read(row, p.field(raw, f.Timestamp), p.field(raw, f.Price), p.field(raw, f.UserID))
}

// splitLine looks for the ends of the fields of the first line, and for its own.
// It says no when the line has not as many fields as the format, and knows no
// ends then.
func (p *Parser) splitLine(lines []byte) (end int, fits bool) {
	n := 0
	for at := 0; ; at += 8 {
		word := load(lines[at:])
		for marks := equal(word, p.delimiter) | equal(word, '\n'); marks != 0; marks &= marks - 1 {
			i := at + bits.TrailingZeros64(marks)/8
			p.ends[n] = i
			n++
			switch newline := lines[i] == '\n'; {
			case newline && n == len(p.ends):
				if i > 0 && lines[i-1] == '\r' {
					p.ends[n-1]--
				}
				return i + 1, true
			case newline, n == len(p.ends):
				return 0, false
			}
		}
	}
}

// read reads the fields into row. It returns nil for a good one.
func (p *Parser) read(row *Row, timestamp, price, userID []byte) *Reject {
	var reason Reason
	if row.Timestamp, reason = p.parseTimestamp(trim(timestamp)); reason != "" {
		return &Reject{Line: row.Line, Column: columnTimestamp, Reason: reason}
	}
	if row.Price, reason = ParseDecimal(trim(price), p.format.DecimalComma); reason != "" {
		return &Reject{Line: row.Line, Column: columnPrice, Reason: reason}
	}
	if row.UserID, reason = parseUserID(trim(userID)); reason != "" {
		return &Reject{Line: row.Line, Column: columnUserID, Reason: reason}
	}
	return nil
}

// split returns the three fields that are read, of a record that must have as
// many fields as the format says.
func (p *Parser) split(raw []byte) (timestamp, price, userID []byte, reason Reason) {
	n := 0
	for i, c := range raw {
		switch c {
		case '"':
			return p.splitQuoted(raw)
		case p.delimiter:
			if n == len(p.ends)-1 {
				// A quote further on would only change what is wrong.
				return nil, nil, nil, ReasonMoreFields
			}
			p.ends[n] = i
			n++
		}
	}
	if p.ends[n] = len(raw); n < len(p.ends)-1 {
		return nil, nil, nil, ReasonFewerFields
	}
	f := &p.format
	return p.field(raw, f.Timestamp), p.field(raw, f.Price), p.field(raw, f.UserID), ""
}

// field returns a field of a record without quotes.
func (p *Parser) field(raw []byte, n int) []byte {
	if n == 0 {
		return raw[:p.ends[0]]
	}
	return raw[p.ends[n-1]+1 : p.ends[n]]
}

// splitQuoted is split for a record that holds quotes.
func (p *Parser) splitQuoted(raw []byte) (timestamp, price, userID []byte, reason Reason) {
	f := &p.format
	p.fields, p.scratch, reason = splitFields(raw, p.delimiter, p.fields[:0], p.scratch[:0], f.Fields)
	switch {
	case reason != "":
		return nil, nil, nil, reason
	case len(p.fields) < f.Fields:
		return nil, nil, nil, ReasonFewerFields
	default:
		return p.fields[f.Timestamp], p.fields[f.Price], p.fields[f.UserID], ""
	}
}

// parseUserID reads a signed 64-bit integer, as PostgreSQL's bigint input does
// with decimal digits.
func parseUserID(b []byte) (int64, Reason) {
	if len(b) == 0 {
		return 0, ReasonUserIDEmpty
	}
	negative := false
	if b[0] == '-' || b[0] == '+' {
		negative = b[0] == '-'
		if b = b[1:]; len(b) == 0 {
			return 0, ReasonUserIDSyntax
		}
	}
	var n uint64
	inRange := true
	for _, c := range b {
		if c-'0' >= 10 {
			return 0, ReasonUserIDSyntax
		}
		if n > (1<<63)/10 {
			inRange = false
		}
		n = n*10 + uint64(c-'0')
	}
	switch {
	case inRange && negative && n <= 1<<63:
		return -int64(n), ""
	case inRange && !negative && n < 1<<63:
		return int64(n), ""
	default:
		return 0, ReasonUserIDRange
	}
}
