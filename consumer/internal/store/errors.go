package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
)

// Class says what to do about an error of Write.
type Class int

// The classes.
const (
	// Fatal errors are of the program or the schema: going on could only do harm.
	Fatal Class = iota + 1
	// Retry errors pass: an outage, a lock, a full disk, a missing permission.
	// None of them is the message's fault.
	Retry
	// Poison errors are of a value that PostgreSQL refuses. Only of a message
	// written alone is it known which one holds it.
	Poison
)

// SQLSTATE classes, from https://www.postgresql.org/docs/current/errcodes-appendix.html.
const (
	classDataException = "22"
	classIntegrity     = "23"
)

// retryClasses are the SQLSTATE classes of what passes or an operator can mend
// while the consumer waits.
var retryClasses = map[string]bool{
	"08": true, // connection exception
	"0A": true, // a cached plan that a migration has made useless
	"26": true, // a prepared statement that a pooler does not know
	"25": true, // invalid transaction state: a server that became a standby is read-only; a transaction was idle for idleTimeout
	"28": true, // invalid authorization: a password being rotated
	"3D": true, // database missing: being restored
	"3F": true, // schema missing: being restored
	"40": true, // rollback: deadlock, serialization
	"42": true, // permission missing, table missing
	"53": true, // out of disk, memory, connections
	"55": true, // object not in prerequisite state: lock_timeout
	"57": true, // operator intervention: shutdown, cancel, terminated
	"58": true, // system error: I/O
	"XX": true, // internal error: a damaged page
}

// Classify decides in one place what an error means. It never returns Poison
// for anything but a value refused by the COPY of the rows.
func Classify(err error) Class {
	if _, ok := errors.AsType[*ValueError](err); ok {
		return Poison
	}
	if _, ok := errors.AsType[*countError](err); ok {
		return Fatal
	}
	if errors.Is(err, errRetired) {
		return Retry
	}
	if server, ok := errors.AsType[*pgconn.PgError](err); ok {
		if retryClasses[sqlClass(server.Code)] {
			return Retry
		}
		return Fatal
	}
	if isConnectionError(err) {
		return Retry
	}
	return Fatal
}

func isConnectionError(err error) bool {
	var connect *pgconn.ConnectError
	var network net.Error
	var call syscall.Errno
	switch {
	case errors.As(err, &connect), errors.As(err, &network), errors.As(err, &call):
		return true
	case pgconn.SafeToRetry(err), pgconn.Timeout(err):
		return true
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return true
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return true
	}
	return false
}

func sqlClass(code string) string {
	if len(code) < 2 {
		return ""
	}
	return code[:2]
}

// Explain says in one line what stands in the way, with the remedy where there
// is one. It holds no password.
func Explain(err error) string {
	var server *pgconn.PgError
	if !errors.As(err, &server) {
		return oneLine(err.Error())
	}
	message := oneLine(server.Message)
	switch server.Code {
	case "42501":
		return fmt.Sprintf("%s. Grant it to the consumer's role", message)
	case "42P01":
		return fmt.Sprintf("%s. Run 'consumer migrate up', or start a consumer", message)
	case "53100":
		return fmt.Sprintf("%s. Make room on PostgreSQL's disk", message)
	case "53300":
		return fmt.Sprintf("%s. Raise max_connections, or stop other clients", message)
	case "25006":
		return fmt.Sprintf("%s. Point DATABASE_URL at the primary", message)
	}
	return fmt.Sprintf("%s (SQLSTATE %s)", message, server.Code)
}

// ValueError is a value in the rows that PostgreSQL refuses: Poison.
type ValueError struct{ Cause *pgconn.PgError }

func (e *ValueError) Error() string {
	return fmt.Sprintf("PostgreSQL refuses a value: %s (SQLSTATE %s)", e.Cause.Message, e.Cause.Code)
}

func (e *ValueError) Unwrap() error { return e.Cause }

// errRetired says that a source was unloaded while the transaction was under
// way. The next attempt finds it so from the start.
var errRetired = errors.New("the source was unloaded meanwhile")

// commitError is a COMMIT that failed, or whose answer was lost: whether it took
// effect is not known. Its class is that of its cause.
type commitError struct{ cause error }

func (e *commitError) Error() string { return e.cause.Error() }

func (e *commitError) Unwrap() error { return e.cause }

// countError is a statement that did not touch the rows it had to.
type countError struct {
	table      string
	want, have int64
}

func (e *countError) Error() string {
	return fmt.Sprintf("%d rows written to %s, not %d: the transaction was rolled back", e.have, e.table, e.want)
}

// Remedy returns err with what Explain knows of it, for a command that ends
// with it.
func Remedy(err error) error { return &explainedError{Explain(err), err} }

type explainedError struct {
	text  string
	cause error
}

func (e *explainedError) Error() string { return e.text }

func (e *explainedError) Unwrap() error { return e.cause }
