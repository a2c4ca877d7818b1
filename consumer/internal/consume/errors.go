package consume

import (
	"errors"
	"fmt"

	"github.com/streamgauge/streamgauge/consumer/internal/watchdog"
)

// IsStalled says whether Run ended for its supervisor to start the process again.
func IsStalled(err error) bool {
	_, ok := errors.AsType[*watchdog.StallError](err)
	return ok
}

// SchemaError says that the schema is older than this program, which was told
// not to change it.
type SchemaError struct {
	// Missing is how many migrations are.
	Missing int
}

func (e *SchemaError) Error() string {
	noun := "migrations"
	if e.Missing == 1 {
		noun = "migration"
	}
	return fmt.Sprintf("the schema lacks %d %s. Run 'consumer migrate up', or start without --migrate=false", e.Missing, noun)
}
