package consume

import "fmt"

// SchemaError says that the schema is older than this program, which was told
// not to change it.
type SchemaError struct {
	// Missing is how many migrations are.
	Missing int
}

func (e *SchemaError) Error() string {
	return fmt.Sprintf("the schema lacks %d migration(s). Run 'consumer migrate up', or start without --migrate=false", e.Missing)
}
