package load

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/streamgauge/streamgauge/producer/internal/escape"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// NoAnswerError says that no consumer answered in time.
type NoAnswerError struct {
	Cause error
}

// answeredError is a consumer's answer that it can't answer, in its own words,
// escaped.
type answeredError struct{ words string }

func (e *answeredError) Error() string { return "the consumer answered: " + e.words }

func (e *NoAnswerError) Error() string {
	_, answered := errors.AsType[*answeredError](e.Cause)
	switch {
	case errors.Is(e.Cause, nats.ErrNoResponders):
		return "no consumer is running: start 'consumer'"
	case errors.Is(e.Cause, context.DeadlineExceeded):
		return "no consumer answers: see its log, or start 'consumer'"
	case errors.Is(e.Cause, nats.ErrDisconnected):
		return "NATS is not connected"
	case answered:
		return e.Cause.Error() + ": see its log, or 'consumer doctor'"
	default:
		return "no consumer answers: " + e.Cause.Error()
	}
}

// What is the failure in few words, without a remedy.
func (e *NoAnswerError) What() string {
	own, answered := errors.AsType[*answeredError](e.Cause)
	switch {
	case errors.Is(e.Cause, nats.ErrNoResponders):
		return "no consumer running"
	case errors.Is(e.Cause, context.DeadlineExceeded):
		return "no consumer answers"
	case answered:
		return own.words
	}
	what, _, _ := strings.Cut(e.Error(), ". ")
	return what
}

func (e *NoAnswerError) Unwrap() error { return e.Cause }

// OtherBatchSizeError says that the source was cut into batches of another size
// when it was first sent. Batches of one source must all be cut alike.
type OtherBatchSizeError struct {
	BatchSize int
	// Done of so many Batches are in the ledger.
	Done, Batches int64
}

func (e *OtherBatchSizeError) Error() string {
	return fmt.Sprintf("it is loaded in batches of %d records", e.BatchSize)
}

// FormatError says that the source was read otherwise when it was first sent.
type FormatError struct {
	Name        string
	Differences []string
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("it was read otherwise when it was first loaded (%s). "+
		"Give the same options as then, or --label NAME to load it a second time, read this way, besides the rows it has",
		strings.Join(e.Differences, "; "))
}

// RetiredError says that the source was loaded once and taken back.
type RetiredError struct{}

func (e *RetiredError) Error() string {
	return "it was loaded and taken back ('consumer unload'), so that its batches are ignored. --label NAME loads it again"
}

// CountError says that the database and the file disagree about how much the
// file holds, which no command of the pair brings about.
type CountError struct {
	What string
}

func (e *CountError) Error() string {
	return e.What + ". Was it loaded by another version of producer or consumer? See 'consumer loads'; --label NAME loads it again besides"
}

// NameTakenError says that the name of the source stands for other content in
// the database.
type NameTakenError struct {
	Name string
	// Other is what was loaded under the name.
	Other wire.Load
	// Others are all sources under the name, Other among them.
	Others []wire.Load
	// Queued says that this run has sent it, and nothing of it is stored yet.
	Queued bool
	// SameContent says that Other is the very content, loaded under a label.
	SameContent bool
	// Grown says that the source begins with all of Other; By is how many bytes it has more.
	Grown bool
	By    int64
}

func (e *NameTakenError) Error() string {
	switch {
	case e.SameContent:
		_, label, _ := strings.Cut(e.Other.Source, "+")
		return fmt.Sprintf("it is loaded already, under the label %s. "+
			"To load the same rows once more, and so count them twice, give another --label", escape.Name(label))
	case e.Grown:
		return fmt.Sprintf("it has grown by %d bytes since it was loaded (%s). "+
			"Put the new rows alone into a file of another name and load that; --allow-changed would load all of this file, the old rows a second time",
			e.By, e.loaded())
	}
	return fmt.Sprintf("its content differs from what was loaded under this name (%s). "+
		"If it is a corrected copy, take the first load back with 'consumer unload'. If these are other rows, rename the file, or give --allow-changed to load them under the same name, "+
		"or --label NAME to load them as a version of their own: both will count",
		e.loaded())
}

func (e *NameTakenError) loaded() string {
	l := &e.Other
	so := fmt.Sprintf("%s and %s so far", count(l.Rows, "row"), count(l.Rejected, "reject"))
	if e.Queued {
		so = "sent in this run, not stored yet"
	}
	return fmt.Sprintf("%s, sha256 %s…", so, escape.Name(l.Source[:min(len(l.Source), 12)]))
}

func count(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
