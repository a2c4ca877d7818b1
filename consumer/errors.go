package main

import "errors"

var (
	errInterrupted = errors.New("interrupted")
	// errDisagree has been told by the comparison itself.
	errDisagree = errors.New("the two sides do not agree")
	// errTold is a failure that has been told.
	errTold = errors.New("failed")
)
