package topology

import (
	"fmt"
	"strings"
)

// MismatchError says that a stream or consumer stands with settings the pair
// can't keep its promises on.
type MismatchError struct {
	// Kind is "stream" or "consumer"; Name is what it is called.
	Kind, Name string
	// Differences are one sentence each: the setting, what it is, what it has to be.
	Differences []string
	// Edit is what 'nats stream edit' is to be told; empty where the server does
	// not change it, so that it has to be made anew.
	Edit string
}

func (e *MismatchError) Error() string {
	remedy := fmt.Sprintf("Change it with 'nats %s edit %s%s'", e.Kind, e.Name, e.Edit)
	switch {
	case e.Kind == "consumer":
		remedy = fmt.Sprintf("Remove it with 'nats consumer rm %s': it will be made anew, and the stream keeps its messages", e.Name)
	case e.Edit == "":
		remedy = fmt.Sprintf("If nothing in it is needed, remove it with 'nats stream rm %s', and it will be made anew", e.Name)
	}
	return fmt.Sprintf("the %s %s can't be used: %s. %s, or use another account", e.Kind, e.Name, strings.Join(e.Differences, "; "), remedy)
}

// UnavailableError says why the streams can't be created or looked up, with the
// remedy.
type UnavailableError struct {
	Reason string
	Cause  error
}

func (e *UnavailableError) Error() string { return e.Reason }

func (e *UnavailableError) Unwrap() error { return e.Cause }

// ConnectError says why NATS can't be reached, with the remedy.
type ConnectError struct {
	// URL has its password masked.
	URL    string
	Reason string
	Remedy string
	Cause  error
}

func (e *ConnectError) Error() string {
	return fmt.Sprintf("cannot reach NATS at %s: %s. %s", e.URL, e.Reason, e.Remedy)
}

func (e *ConnectError) Unwrap() error { return e.Cause }
