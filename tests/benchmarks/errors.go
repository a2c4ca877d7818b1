package main

import "errors"

// usageError is about how the program was called, and has been told.
type usageError struct{ cause error }

func (e *usageError) Error() string { return e.cause.Error() }

func (e *usageError) Unwrap() error { return e.cause }

func isUsage(err error) bool {
	var usage *usageError
	return errors.As(err, &usage)
}
