package wire

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/streamgauge/streamgauge/shared/record"
)

// Validate reports the first rule of the specification that b breaks: a
// *HeaderError or a *BodyError. It does not cut the body: that its records are
// as many as the header says is the reader's to check.
func (b *Batch) Validate() error {
	if err := b.Plan.Validate(); err != nil {
		return &HeaderError{HeaderPlan, err.Error()}
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
	switch {
	case b.Name == "":
		return &HeaderError{HeaderName, "empty"}
	case len(b.Name) > MaxName:
		return &HeaderError{HeaderName, fmt.Sprintf("%d bytes, more than %d", len(b.Name), MaxName)}
	case !utf8.ValidString(b.Name):
		return &HeaderError{HeaderName, "not UTF-8"}
	case strings.ContainsRune(b.Name, 0):
		return &HeaderError{HeaderName, "holds a NUL"}
	case b.Size < 1:
		return &HeaderError{HeaderSize, "less than 1"}
	}
	return nil
}

func (b *Batch) validatePosition() error {
	switch {
	case b.Number < 1:
		return &HeaderError{HeaderBatch, "less than 1"}
	case b.Batches < b.Number:
		return &HeaderError{HeaderBatches, "less than the batch's number"}
	case b.FirstLine < 1:
		return &HeaderError{HeaderFirstLine, "less than 1"}
	case b.Records < 1:
		return &HeaderError{HeaderRecords, "less than 1"}
	}
	return nil
}

func (b *Batch) validateBody() error {
	switch {
	case len(b.Body) == 0:
		return &BodyError{"empty"}
	case len(b.Body) > MaxBody:
		return &BodyError{fmt.Sprintf("%d bytes, more than %d", len(b.Body), MaxBody)}
	case b.Long == nil:
		return nil
	case b.Records != 1:
		return &HeaderError{HeaderRecords, "a record that is too long travels alone"}
	case b.Long.Length <= record.MaxLength:
		return &HeaderError{HeaderLongLength, fmt.Sprintf("%d is not over %d", b.Long.Length, record.MaxLength)}
	case len(b.Body) != record.MaxLength:
		return &BodyError{fmt.Sprintf("%d bytes of a record that is too long, not %d", len(b.Body), record.MaxLength)}
	}
	return nil
}

// Validate reports what no source could be read or cut by.
func (p Plan) Validate() error {
	if p.BatchSize < 1 || p.BatchSize > MaxRecords {
		return fmt.Errorf("a batch size is 1 to %d, not %d", MaxRecords, p.BatchSize)
	}
	return p.Format.Validate()
}
