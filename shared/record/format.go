package record

import (
	"errors"
	"fmt"
)

// Format says how a source's records are read. It is part of a source's plan:
// it travels with every batch as JSON, is stored, and is compared with ==.
type Format struct {
	// Delimiter separates fields: one ASCII byte that is not a quote, CR, LF or
	// NUL. It must be set.
	Delimiter string `json:"delimiter"`

	// DecimalComma makes a comma the decimal point of prices. A point is then
	// refused, so that 1.234,50 is a reject and never 1.234.
	DecimalComma bool `json:"decimal_comma,omitempty"`

	// Fields is how many fields each record has. A record with another number
	// is a reject.
	Fields int `json:"fields"`

	// Timestamp, Price and UserID are the places of the columns that are read,
	// counted from 0. They differ from each other.
	Timestamp int `json:"timestamp"`
	Price     int `json:"price"`
	UserID    int `json:"user_id"`

	// TimestampFormat is a strptime format as github.com/itchyny/timefmt-go
	// reads it, by which every timestamp is read. "" means the built-in formats:
	// month/day/year and ISO 8601, each with or without a time of day, and that
	// with or without a zone.
	//
	// A format must say the year and either the month or the day of the year;
	// what it leaves out is the first day and 0 o'clock. Years of two digits, %y,
	// are 1969 to 2068; %Y and %G need four. The whole field must match, the year
	// be 0001 to 9999, and the date exist: the library lets 31 April be 1 May, and
	// 12 be the year 12, this package does not. That goes for %s too, seconds since
	// 1970, and catches milliseconds. Names of weekdays are read and not checked.
	// What can't be read without a guess is refused by Validate: %Z, %+, %C, %g,
	// %U, %W, %I or %l without %p, and numbers without a fixed width, as %k, right
	// before other numbers.
	TimestampFormat string `json:"timestamp_format,omitempty"`

	// Timezone is the IANA name of the zone in which timestamps without a zone
	// of their own are meant. "" means UTC. A time that the zone's clocks skip
	// or show twice is read as PostgreSQL reads it: with the lesser of the two
	// offsets.
	Timezone string `json:"timezone,omitempty"`
}

// Validate returns an error that says what is wrong with the format, or nil.
func (f Format) Validate() error {
	_, _, err := f.compile()
	return err
}

// Comma returns the delimiter as a byte: a comma where none is set.
func (f Format) Comma() byte {
	if f.Delimiter == "" {
		return ','
	}
	return f.Delimiter[0]
}

// compile checks the format and prepares how its timestamps are read.
func (f Format) compile() (*layout, *zone, error) {
	if len(f.Delimiter) != 1 {
		return nil, nil, fmt.Errorf("delimiter %q: expected one ASCII character", f.Delimiter)
	}
	switch c := f.Delimiter[0]; {
	case c == '"', c == '\r', c == '\n', c == 0, c >= 0x80:
		return nil, nil, fmt.Errorf("delimiter %q: expected one ASCII character other than a quote, CR, LF or NUL", f.Delimiter)
	}
	if f.Fields < 1 {
		return nil, nil, fmt.Errorf("fields is %d: expected at least 1", f.Fields)
	}
	for _, column := range []struct {
		name  string
		index int
	}{{columnTimestamp, f.Timestamp}, {columnPrice, f.Price}, {columnUserID, f.UserID}} {
		if column.index < 0 || column.index >= f.Fields {
			return nil, nil, fmt.Errorf("column %s is field %d: expected 0 to %d", column.name, column.index, f.Fields-1)
		}
	}
	if f.Timestamp == f.Price || f.Timestamp == f.UserID || f.Price == f.UserID {
		return nil, nil, errors.New("timestamp, price and user_id: expected a field of their own each")
	}
	var l *layout
	if f.TimestampFormat != "" {
		var err error
		if l, err = newLayout(f.TimestampFormat); err != nil {
			return nil, nil, err
		}
	}
	z, err := newZone(f.Timezone)
	if err != nil {
		return nil, nil, err
	}
	return l, z, nil
}
