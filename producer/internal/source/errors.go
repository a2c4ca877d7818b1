package source

import "errors"

// ErrChanged says that a second reading did not find what the first had found.
var ErrChanged = errors.New("it changed while it was being read. Run the same command again when nothing writes to it any more")
