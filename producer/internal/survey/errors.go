package survey

import (
	"fmt"

	"github.com/streamgauge/streamgauge/shared/record"
)

// EmptyError says that a source has not even a header. That is how exports that
// failed look, so it is not taken for a load of no rows.
type EmptyError struct{}

func (*EmptyError) Error() string {
	return "it is empty: not even a header. Export it again, or leave it out"
}

// HeaderError says why a source's first record can't be read as its header.
type HeaderError struct {
	Reason record.Reason
}

func (e *HeaderError) Error() string {
	return fmt.Sprintf("its header can't be read: %s. Mend its first line, or try --delimiter", e.Reason)
}
