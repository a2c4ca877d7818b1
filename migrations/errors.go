package migrations

import (
	"database/sql/driver"
	"fmt"
)

// NewerError says that the database has a migration this program does not know.
type NewerError struct {
	// Version is the newest of them.
	Version int64
}

func (e *NewerError) Error() string {
	return fmt.Sprintf("the database's schema is newer than this program: it has migration %d. Upgrade the consumer", e.Version)
}

// errLockSession makes database/sql discard the session that may still hold the lock.
var errLockSession = fmt.Errorf("advisory lock not released: %w", driver.ErrBadConn)
