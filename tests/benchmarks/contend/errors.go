package contend

import "errors"

// ErrMissing says that a contender's program is not on this machine.
var ErrMissing = errors.New("the program is not installed")
