package servers

import "errors"

// ErrNoPostgres says that there is no way to a PostgreSQL server. Its text
// lists the ways.
var ErrNoPostgres = errors.New("no PostgreSQL found: set DATABASE_URL to a server of yours, " +
	"or install the server's binaries (Debian, Ubuntu: apt install postgresql; macOS: brew install postgresql@17), " +
	"or start Docker")
