package store

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// lostAfter is how long nothing may move on the connection of a transaction
// that is under way before PostgreSQL is asked whether it has work of it.
const lostAfter = 4 * time.Second

// waitingForClient are those of the sessions $1 that have nothing to do before
// their client says something.
const waitingForClient = `
SELECT pid FROM pg_stat_activity
 WHERE pid = ANY ($1) AND application_name = $2 AND usename = current_user AND wait_event = 'ClientRead'`

// meteredConn knows when bytes last moved on it, either way.
type meteredConn struct {
	net.Conn

	moved atomic.Int64 // nanoseconds since started
}

// started is a time to count from by the monotonic clock. The wall clock may be
// set while a transaction is under way.
var started = time.Now()

func metered(conn net.Conn) *meteredConn {
	if secure, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = secure.NetConn()
	}
	m, _ := conn.(*meteredConn)
	return m
}

func (c *meteredConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.touch()
	}
	return n, err
}

func (c *meteredConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if n > 0 {
		c.touch()
	}
	return n, err
}

func (c *meteredConn) touch() { c.moved.Store(int64(time.Since(started))) }

func (c *meteredConn) quiet() time.Duration {
	return time.Since(started) - time.Duration(c.moved.Load())
}

// abandonBroken closes the socket of a connection that pgx has given up, whose
// cleaning up would otherwise keep its place in the pool for up to 15 s.
func abandonBroken(conn *pgx.Conn) {
	if conn.IsClosed() {
		if m := metered(conn.PgConn().Conn()); m != nil {
			_ = m.Close() // It may be closed already.
		}
	}
}

// flights are the transactions under way, by the process ids of their sessions.
// The zero value has none. It is safe for concurrent use.
type flights struct {
	mu    sync.Mutex
	byPID map[int32]*flight
}

type flight struct {
	conn *meteredConn
	// waits says that the client has nothing to say for good reason.
	waits bool
}

// begin notes a transaction until end is called.
func (f *flights) begin(conn *pgconn.PgConn) (end func()) {
	m := metered(conn.Conn())
	if m == nil {
		return func() {}
	}
	pid := int32(conn.PID())
	m.touch()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.byPID == nil {
		f.byPID = make(map[int32]*flight)
	}
	f.byPID[pid] = &flight{conn: m}
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.byPID, pid)
	}
}

// wait notes that the transaction waits for another of this process, until the
// function it returns is called.
func (f *flights) wait(pid uint32) (done func()) {
	set := func(waits bool) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if flight := f.byPID[int32(pid)]; flight != nil {
			flight.waits = waits
			flight.conn.touch()
		}
	}
	set(true)
	return func() { set(false) }
}

// silent are those on whose connection nothing has moved for long.
func (f *flights) silent() (pids []int32) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for pid, flight := range f.byPID {
		if flight.silent() {
			pids = append(pids, pid)
		}
	}
	return pids
}

func (f *flight) silent() bool { return !f.waits && f.conn.quiet() >= lostAfter }

// cut breaks the connection of a transaction if it is still silent.
func (f *flights) cut(pid int32) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	flight := f.byPID[pid]
	if flight == nil || !flight.silent() {
		return false
	}
	_ = flight.conn.Close() // Whoever waits on it finds out.
	return true
}

// cutWaiting breaks the connections of transactions that wait for another of this
// process, and returns the process ids of their sessions.
func (f *flights) cutWaiting() (pids []int32) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for pid, flight := range f.byPID {
		if flight.waits {
			_ = flight.conn.Close() // Whoever uses it next finds out.
			pids = append(pids, pid)
		}
	}
	return pids
}

// freeLost breaks the connections of transactions that wait for an answer while
// PostgreSQL waits for them: what was said between the two is lost, which
// neither end's TCP notices when something in between still answers for the
// other. The transaction fails as one whose connection broke. ask asks in a
// session that is none of these.
func (s *Store) freeLost(ctx context.Context, ask queryer) error {
	pids := s.flights.silent()
	if len(pids) == 0 {
		return nil
	}
	rows, err := ask.Query(ctx, waitingForClient, pids, applicationName)
	if err != nil {
		return err
	}
	waiting, err := pgx.CollectRows(rows, pgx.RowTo[int32])
	if err != nil {
		return err
	}
	cut := false
	for _, pid := range waiting {
		if s.flights.cut(pid) {
			cut = true
			s.logger.Warn("broke a connection to PostgreSQL on which what was said got lost", "pid", pid)
		}
	}
	if cut {
		// What lost one is likely to have lost those beside it, which would be found
		// out one after the other, each when it speaks next.
		for _, pid := range s.flights.cutWaiting() {
			s.logger.Warn("broke a connection to PostgreSQL beside one on which what was said got lost", "pid", pid)
		}
	}
	return nil
}
