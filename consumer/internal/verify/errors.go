package verify

import "fmt"

// LabelError says that a file was loaded, but not with the label asked for.
type LabelError struct{ Label string }

func (e *LabelError) Error() string {
	return fmt.Sprintf("it is not loaded with the label %q. 'consumer loads' lists what is", e.Label)
}
