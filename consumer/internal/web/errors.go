package web

import "fmt"

// ListenError says why nobody can listen on an address, with the remedy.
type ListenError struct {
	Address string
	Reason  string
	Remedy  string
	Cause   error
}

func (e *ListenError) Error() string {
	return fmt.Sprintf("cannot listen on %s: %s. %s", e.Address, e.Reason, e.Remedy)
}

func (e *ListenError) Unwrap() error { return e.Cause }
