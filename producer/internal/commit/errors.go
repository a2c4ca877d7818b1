package commit

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/streamgauge/streamgauge/shared/wire"
)

// TemporaryError says that the temporary file of Sequences failed.
type TemporaryError struct {
	Cause error
}

func (e *TemporaryError) Error() string {
	cause := e.Cause
	if failed, is := errors.AsType[*fs.PathError](cause); is {
		cause = failed.Err // the file has no name any more
	}
	return fmt.Sprintf("its temporary file: %v. Set TMPDIR to a folder with room, and run the same command again", cause)
}

func (e *TemporaryError) Unwrap() error { return e.Cause }

// DeadError says which batches the consumer has set aside each time they were
// sent. All others are committed.
type DeadError struct {
	// Batches are ascending by number.
	Batches []wire.DeadBatch
	// Load is the source as it stands in the database; nil when nothing of it is stored.
	Load *wire.Load
}

func (e *DeadError) Error() string {
	const shown = 5
	var list strings.Builder
	for i, dead := range e.Batches {
		if i == shown {
			fmt.Fprintf(&list, "; and %d more", len(e.Batches)-shown)
			break
		}
		if i > 0 {
			list.WriteString("; ")
		}
		// The reason is the consumer's own words, which hold no bytes of the file.
		fmt.Fprintf(&list, "batch %d: %.200q", dead.Number, dead.Reason)
	}
	noun := "batches were"
	if len(e.Batches) == 1 {
		noun = "batch was"
	}
	return fmt.Sprintf("%d %s set aside by the consumer as dead, %d times each: %s. See 'consumer dead ls', cure the cause, then run the same command again",
		len(e.Batches), noun, attempts, list.String())
}
