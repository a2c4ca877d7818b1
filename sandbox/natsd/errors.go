package natsd

import "errors"

// ErrPortTaken says that the wanted port has another listener.
var ErrPortTaken = errors.New("port is taken")
