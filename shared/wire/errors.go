package wire

import "fmt"

// HeaderError says which header of a message breaks the specification, and
// how. Its text never holds bytes of the message.
type HeaderError struct {
	Header string
	Reason string
}

func (e *HeaderError) Error() string {
	return fmt.Sprintf("header %s: %s", e.Header, e.Reason)
}

// BodyError says how a message's body breaks the specification. Its text never
// holds bytes of the message.
type BodyError struct {
	Reason string
}

func (e *BodyError) Error() string {
	return "body: " + e.Reason
}

// VersionError says that a message is of a newer wire version than this program
// reads: after an upgrade it can be read.
type VersionError struct {
	Version int
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("wire version %d is newer than %d, the newest this program reads: upgrade the consumer, then replay it",
		e.Version, Version)
}
