package main

import "errors"

var (
	errInterrupted = errors.New("interrupted")
	// errDisagree has been told by the comparison itself.
	errDisagree = errors.New("the running statistics do not agree with the table")
)
