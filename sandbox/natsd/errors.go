package natsd

import "github.com/streamgauge/streamgauge/sandbox/internal/port"

// ErrPortTaken says that the wanted port has another listener.
var ErrPortTaken = port.ErrTaken
