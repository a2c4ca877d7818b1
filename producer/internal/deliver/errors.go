package deliver

import (
	"errors"
	"fmt"

	"github.com/streamgauge/streamgauge/producer/internal/commit"
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
