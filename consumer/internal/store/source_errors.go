package store

import (
	"fmt"
	"strings"
)

// UnknownSourceError says that no load is meant by what was given.
type UnknownSourceError struct {
	Given string
	// Retired says that there was one, which has been taken back.
	Retired bool
}

func (e *UnknownSourceError) Error() string {
	if e.Retired {
		return fmt.Sprintf("%q was unloaded. 'producer --label NAME' loads it again", e.Given)
	}
	return fmt.Sprintf("%q is not loaded. 'consumer loads' lists what is", e.Given)
}

// AmbiguousSourceError says that several loads are meant by what was given.
type AmbiguousSourceError struct {
	Given string
	// Identities are some of them, two at least.
	Identities []string
}

func (e *AmbiguousSourceError) Error() string {
	return fmt.Sprintf("%q is the name of several loads. Give the id of one: %s", e.Given, strings.Join(e.Identities, ", "))
}

// NoRejectError says that no reject stands on a line.
type NoRejectError struct {
	Given string
	Line  int64
	// Corrected says that one did, and has been corrected.
	Corrected bool
}

func (e *NoRejectError) Error() string {
	if e.Corrected {
		return fmt.Sprintf("line %d of %q was corrected: it is a row now", e.Line, e.Given)
	}
	return fmt.Sprintf("line %d of %q is no reject. 'consumer rejects ls' lists those there are", e.Line, e.Given)
}

// NoDeadBatchError says that no message stands under an id, or under several.
type NoDeadBatchError struct{ IDs []int64 }

func (e *NoDeadBatchError) Error() string {
	ids := "id " + fmt.Sprint(e.IDs[0])
	if len(e.IDs) > 1 {
		ids = "ids " + strings.Trim(fmt.Sprint(e.IDs), "[]")
	}
	return fmt.Sprintf("no dead batch has the %s. 'consumer dead ls' lists those there are", ids)
}

// KeptDeadError says that a message was given back to the stream, and that its row
// could not be removed, or may still be there. It does not unwrap to its cause,
// which alone would tell the less important half.
type KeptDeadError struct {
	ID    int64
	Cause error
}

func (e *KeptDeadError) Error() string {
	return fmt.Sprintf("dead batch %d was given back to the stream, but could not be removed from the list: %s. Replay it again, which does no harm",
		e.ID, Explain(e.Cause))
}
