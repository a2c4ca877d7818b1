package main

import "errors"

var (
	errOutput      = errors.New("it is text or json")
	errInterrupted = errors.New("interrupted")
	// errDisagree has been told by the comparison itself.
	errDisagree = errors.New("the two sides do not agree")
	// errIncomplete has been told too: the rest was done.
	errIncomplete = errors.New("not all of it could be done")
	// errTold is a failure that has been told.
	errTold = errors.New("failed")
)
