package engine

import "errors"

// ErrNone says that no Docker engine answers on this machine. It is wrapped
// together with what was tried.
var ErrNone = errors.New("no Docker engine")
