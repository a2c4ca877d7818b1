package main

import "errors"

var errInterrupted = errors.New("interrupted")
