package publish

import (
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
)

// FatalError is a failure that publishing again would meet again, with its
// remedy.
type FatalError struct {
	Text  string
	Cause error
}

func (e *FatalError) Error() string { return e.Text }

func (e *FatalError) Unwrap() error { return e.Cause }

// DeniedError says that the NATS account may not do what the producer needs.
type DeniedError struct {
	// Cause is the server's own words: what is denied, on which subject.
	Cause error
}

func (e *DeniedError) Error() string {
	words := e.Cause.Error()
	// nats.go puts its own error before the server's words, which say it all.
	if _, denied, found := strings.Cut(words, nats.ErrPermissionViolation.Error()+": "); found {
		words = denied
	}
	return fmt.Sprintf("NATS denies it: %s. Give the user publish permission on rows.>, streamgauge.load, streamgauge.snapshot and $JS.API.>, and subscribe on _INBOX.>", words)
}

func (e *DeniedError) Unwrap() error { return e.Cause }
