// Package columns finds the columns a load needs among those a file has, and so
// says how the file's records are read.
package columns

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/streamgauge/streamgauge/shared/record"
)

// Required are the columns every file must have, whatever it calls them.
var Required = []string{"timestamp", "price", "user_id"}

// Options say how a file is to be read, besides what its header says.
type Options struct {
	// Delimiter separates fields, one ASCII byte; empty means a comma.
	Delimiter string
	// DecimalComma reads "1,5" as one and a half.
	DecimalComma bool
	// Map gives the name a required column has in the file, where it differs.
	Map map[string]string
	// NoHeader says that the first record is data; Names then are the file's
	// columns in order, nil meaning Required.
	NoHeader bool
	Names    []string
	// TimestampFormat is a strptime format; empty means the built-in formats.
	TimestampFormat string
	// Timezone is the IANA zone of timestamps that carry none; empty means UTC.
	Timezone string
}

// Comma is the delimiter as a byte. It holds for valid Options only.
func (o Options) Comma() byte {
	if o.Delimiter == "" {
		return ','
	}
	return o.Delimiter[0]
}

// Validate reports what can be known to be wrong without a file.
func (o Options) Validate() error {
	if o.Names != nil && !o.NoHeader {
		return errors.New("--columns names the columns of a file without a header: give --no-header as well")
	}
	for column := range o.Map {
		if !slices.Contains(Required, column) {
			return fmt.Errorf("--map: %q is no column of a load: expected %s", column, strings.Join(Required, ", "))
		}
	}
	if strings.EqualFold(o.Timezone, "Local") {
		return errors.New("--timezone Local would read one file differently on another machine: name the zone, as in Europe/Madrid")
	}
	if err := record.ValidateZone(o.Timezone); err != nil {
		return fmt.Errorf("--timezone: %q is no zone of the IANA database: expected one such as Europe/Madrid", o.Timezone)
	}
	if o.NoHeader {
		if _, err := Match(o.FileColumns(), o); err != nil {
			return fmt.Errorf("--columns: %w", err)
		}
		return nil
	}
	format := o.format(len(Required))
	format.Price, format.UserID = 1, 2 // anything that is valid
	return format.Validate()
}

// FileColumns are the columns of a file without a header.
func (o Options) FileColumns() []string {
	if o.Names == nil {
		return Required
	}
	return o.Names
}

// Match finds the required columns among names, in any order, ignoring case and
// spaces around them. Other columns are ignored. The error is a *MissingError
// or a *DuplicateError, or the options' own.
func Match(names []string, o Options) (record.Format, error) {
	format := o.format(len(names))
	var missing, required []string
	for i, index := range []*int{&format.Timestamp, &format.Price, &format.UserID} {
		wanted := o.fileColumn(Required[i])
		at, found := find(names, wanted)
		switch found {
		case 0:
			missing, required = append(missing, wanted), append(required, Required[i])
		case 1:
			*index = at
		default:
			return record.Format{}, &DuplicateError{Column: wanted, Count: found}
		}
	}
	if len(missing) > 0 {
		return record.Format{}, &MissingError{Missing: missing, Required: required, Have: names, Delimiter: o.Comma()}
	}
	if err := format.Validate(); err != nil {
		return record.Format{}, err
	}
	return format, nil
}

// format is all but where the columns are.
func (o Options) format(fields int) record.Format {
	delimiter := o.Delimiter
	if delimiter == "" {
		delimiter = ","
	}
	return record.Format{
		Delimiter:       delimiter,
		DecimalComma:    o.DecimalComma,
		Fields:          fields,
		TimestampFormat: o.TimestampFormat,
		Timezone:        canonicalZone(o.Timezone),
	}
}

func (o Options) fileColumn(column string) string {
	if name, mapped := o.Map[column]; mapped {
		return name
	}
	return column
}

// find returns where name stands among names, and how often.
func find(names []string, name string) (at, count int) {
	name = strings.TrimSpace(name)
	for i, have := range names {
		if strings.EqualFold(strings.TrimSpace(have), name) {
			at = i
			count++
		}
	}
	return at, count
}

// canonicalZone gives the default zone one spelling, since plans are compared.
func canonicalZone(zone string) string {
	if zone == "UTC" {
		return ""
	}
	return zone
}
