package deliver

import (
	"errors"
	"fmt"
	"strings"

	"github.com/streamgauge/streamgauge/producer/internal/commit"
	"github.com/streamgauge/streamgauge/producer/internal/source"
)

// ErrIncomplete says that all was done that could be, but not every record is
// stored: there are rejects or dead batches, and they have been told.
var ErrIncomplete = errors.New("some records were not stored")

// FilesError says how many of several files failed; each has been told.
type FilesError struct {
	Failed, Files int
}

func (e *FilesError) Error() string {
	return fmt.Sprintf("%d of %d files failed, as told above. Mend them and run the same command again: what is loaded stays loaded", e.Failed, e.Files)
}

// ChangedError says that a file has changed after a part of what it was had been
// sent, which the consumer stores, if it has not yet.
type ChangedError struct {
	// Source is the id of what it was, of which Reached of so many Batches have been
	// queued or stored, one at least.
	Source           string
	Reached, Batches int64
	// Grown says that it begins with all that it was.
	Grown bool
}

func (e *ChangedError) Error() string {
	how, unload := "changed", "with 'consumer unload "+shortID(e.Source)+"'"
	if e.Grown {
		how = "grew"
	}
	text := fmt.Sprintf("it %s while it was being read, and %d of %d batches of what it was have been queued or stored. ", how, e.Reached, e.Batches)
	if e.Grown {
		return text + "Put the new rows alone into a file of another name and load that; or wait until all is stored, take that back " + unload + " and run the same command again"
	}
	return text + "Wait until those are stored and nothing writes to it any more, take them back " + unload + " and run the same command again"
}

// shortID is as much of a source's id as tells it from others. Without its label
// that is the same for all with that content.
func shortID(id string) string {
	if digest, _, labelled := strings.Cut(id, "+"); !labelled {
		return digest[:8]
	}
	return id
}

// Unwrap says that it is source.ErrChanged.
func (e *ChangedError) Unwrap() error { return source.ErrChanged }

// StoppedError says where an interrupted run stopped.
type StoppedError struct {
	// At is what was reached.
	At string
}

func (e *StoppedError) Error() string {
	return e.At + "; run the same command again to continue"
}

// endsRun says whether err is of the whole run, rather than of the file that it
// met.
func endsRun(err error) bool {
	var stopped *StoppedError
	var broken *brokerError
	return errors.As(err, &stopped) || errors.As(err, &broken)
}

// brokerError is a failure of NATS, which any other file would meet as well.
type brokerError struct{ cause error }

// ofBroker is err as a failure of NATS, unless it is one of the file's own that was
// met while NATS was at work.
func ofBroker(err error) error {
	if _, own := errors.AsType[*commit.TemporaryError](err); own {
		return err
	}
	return &brokerError{err}
}

func (e *brokerError) Error() string { return e.cause.Error() }

func (e *brokerError) Unwrap() error { return e.cause }
