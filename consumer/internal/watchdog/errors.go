package watchdog

import (
	"fmt"
	"time"
)

// StallError ends a process that rebuilding did not cure, for its supervisor to
// start it again.
type StallError struct{ After time.Duration }

func (e *StallError) Error() string {
	return fmt.Sprintf("stalled: messages wait, and none was fetched or committed for %d s, though NATS and PostgreSQL answer. "+
		"Start the consumer again, as a supervisor does", int(e.After.Seconds()))
}
