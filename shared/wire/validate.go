package wire

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/streamgauge/streamgauge/shared/record"
)

// Validate reports the first rule of the specification that b breaks: a
// *HeaderError or a *BodyError. It does not cut the body: that its records are
// as many as the header says is the reader's to check.
func (b *Batch) Validate() error {
	if fault := b.Plan.fault(); fault != "" {
		return &HeaderError{HeaderPlan, fault}
	}
	return b.validateAllButPlan()
}

func (b *Batch) validateAllButPlan() error {
	if err := b.validateSource(); err != nil {
		return err
	}
	if err := b.validatePosition(); err != nil {
		return err
	}
	if b.Records > b.Plan.BatchSize {
		return &HeaderError{HeaderRecords, fmt.Sprintf("%d records in a batch of at most %d", b.Records, b.Plan.BatchSize)}
	}
	return b.validateBody()
}

func (b *Batch) validateSource() error {
	if err := ValidateSourceID(b.Source); err != nil {
		return &HeaderError{HeaderSource, err.Error()}
	}
	if err := validateInteger(HeaderSize, b.Size); err != nil {
		return err
	}
	switch {
	case b.Name == "":
		return &HeaderError{HeaderName, "empty"}
	case len(b.Name) > MaxName:
		return &HeaderError{HeaderName, fmt.Sprintf("%d bytes, more than %d", len(b.Name), MaxName)}
	case !utf8.ValidString(b.Name):
		return &HeaderError{HeaderName, "not UTF-8"}
	case strings.ContainsRune(b.Name, 0):
		return &HeaderError{HeaderName, "holds a NUL"}
	}
	return nil
}

func (b *Batch) validatePosition() error {
	err := cmp.Or(
		validateInteger(HeaderBatch, b.Number),
		validateInteger(HeaderBatches, b.Batches),
		validateInteger(HeaderFirstLine, b.FirstLine),
		validateInteger(HeaderRecords, int64(b.Records)),
	)
	if err == nil && b.Batches < b.Number {
		return &HeaderError{HeaderBatches, "less than the batch's number"}
	}
	return err
}

func validateInteger(header string, n int64) error {
	switch {
	case n < 1:
		return &HeaderError{header, "less than 1"}
	case n > MaxInteger:
		return &HeaderError{header, fmt.Sprintf("more than %d", MaxInteger)}
	}
	return nil
}

func (b *Batch) validateBody() error {
	switch {
	case len(b.Body) == 0:
		return &BodyError{"empty"}
	case len(b.Body) > MaxBody:
		return &BodyError{fmt.Sprintf("%d bytes, more than %d", len(b.Body), MaxBody)}
	case b.Records > (len(b.Body)+1)/2:
		return &HeaderError{HeaderRecords, "more records than the body has room for"}
	case b.Long == nil:
		return nil
	case b.Records != 1:
		return &HeaderError{HeaderRecords, "a record that is too long travels alone"}
	case b.Long.Length <= record.MaxLength:
		return &HeaderError{HeaderLongLength, fmt.Sprintf("not over %d", record.MaxLength)}
	case b.Long.Length > MaxInteger:
		return &HeaderError{HeaderLongLength, fmt.Sprintf("more than %d", MaxInteger)}
	case len(b.Body) != record.MaxLength:
		return &BodyError{fmt.Sprintf("%d bytes of a record that is too long, not %d", len(b.Body), record.MaxLength)}
	}
	return nil
}

// Validate reports what no source could be read or cut by.
func (p Plan) Validate() error {
	if fault := p.ownFault(); fault != "" {
		return errors.New(fault)
	}
	return p.Format.Validate()
}

// ownFault says what is wrong beyond what record.Format checks: sizes that no
// source needs and no reader should reserve memory for, and what PostgreSQL's
// jsonb can't hold.
func (p Plan) ownFault() string {
	switch {
	case p.BatchSize < 1 || p.BatchSize > MaxRecords:
		return fmt.Sprintf("a batch size is 1 to %d, not %d", MaxRecords, p.BatchSize)
	case p.Fields > MaxFields:
		return fmt.Sprintf("a record has at most %d fields, not %d", MaxFields, p.Fields)
	case len(p.TimestampFormat) > MaxTimestampFormat:
		return fmt.Sprintf("a timestamp format has at most %d bytes, not %d", MaxTimestampFormat, len(p.TimestampFormat))
	case strings.ContainsRune(p.TimestampFormat, 0):
		return "the timestamp format holds a NUL"
	case !utf8.ValidString(p.TimestampFormat):
		return "the timestamp format is not UTF-8"
	}
	return ""
}

// fault is Validate without a byte of what the plan holds: it names the member.
func (p Plan) fault() string {
	if fault := p.ownFault(); fault != "" {
		return fault
	}
	if p.Format.Validate() == nil {
		return ""
	}
	noZone, noLayout, comma := p.Format, p.Format, p.Format
	noZone.Timezone, noLayout.TimestampFormat, comma.Delimiter = "", "", ","
	switch {
	case noZone.Validate() == nil:
		return "its timezone is not known to this program"
	case noLayout.Validate() == nil:
		return "its timestamp_format can't be used"
	case comma.Validate() == nil:
		return "its delimiter is not one ASCII character other than a quote, CR, LF or NUL"
	}
	return "its columns are not three different ones of its fields, or more than one member is wrong"
}
