package postgres

import (
	"errors"

	"github.com/streamgauge/streamgauge/sandbox/internal/port"
)

// ErrNotFound says that this machine has no PostgreSQL server binaries that
// run; another way to get a server may still exist.
var ErrNotFound = errors.New("no PostgreSQL server binaries found")

// ErrPortTaken says that the wanted port has another listener.
var ErrPortTaken = port.ErrTaken
