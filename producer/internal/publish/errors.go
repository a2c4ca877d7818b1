package publish

import "fmt"

// DeniedError says that the NATS account may not do what publishing needs.
type DeniedError struct {
	// Cause is the server's own words: what is denied, on which subject.
	Cause error
}

func (e *DeniedError) Error() string {
	return fmt.Sprintf("NATS denies it: %v. Give the user publish permission on rows.> and $JS.API.>, and subscribe on _INBOX.>", e.Cause)
}

func (e *DeniedError) Unwrap() error { return e.Cause }
