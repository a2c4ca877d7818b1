package main

import "errors"

var errInterrupted = errors.New("interrupted")

// usageError is a mistake in the command line.
type usageError struct{ cause error }

func (e *usageError) Error() string { return e.cause.Error() }

func (e *usageError) Unwrap() error { return e.cause }
