package store

import (
	"context"
	"time"
)

// applicationName marks the consumers' sessions in pg_stat_activity.
const applicationName = "streamgauge consumer"

// blockedAfter is how long a transaction may take before its blockers are
// looked at. It lies below lockTimeout, after which there are none to be seen.
const blockedAfter = 2 * time.Second

// terminateBlockers ends the sessions of consumers that hold what the session
// $1 waits for, have done so for long, and wait for their own client: a process
// that was stopped in the middle of a COPY. A session that is slow because its
// disk is waits for something else, and is let be; so is one that waits for its
// client's next statement, as a long unload does between two, for less than a
// second. The session of another role may not be ended: PostgreSQL does that, after
// idleTimeout. What begins in the future began before the server's clock was set back.
const terminateBlockers = `
SELECT pid, pg_terminate_backend(pid)
  FROM pg_stat_activity
 WHERE pid = ANY (pg_blocking_pids($1))
   AND application_name = $2
   AND usename = current_user
   AND xact_start NOT BETWEEN clock_timestamp() - interval '4 seconds' AND clock_timestamp()
   AND state_change NOT BETWEEN clock_timestamp() - interval '1 second' AND clock_timestamp()
   AND wait_event_type = 'Client'`

// unblock watches, until stop is called, over the transaction of the session
// with process id pid.
func (s *Store) unblock(ctx context.Context, pid uint32) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	timer := time.AfterFunc(blockedAfter, func() {
		for ctx.Err() == nil {
			s.terminateBlockers(ctx, pid)
			select {
			case <-ctx.Done():
			case <-time.After(blockedAfter / 4):
			}
		}
	})
	return func() {
		timer.Stop()
		cancel()
	}
}

func (s *Store) terminateBlockers(ctx context.Context, pid uint32) {
	rows, err := s.pool.Query(ctx, terminateBlockers, int32(pid), applicationName)
	if err != nil {
		if ctx.Err() == nil {
			s.logger.Warn("can't look for what blocks a transaction", "error", Explain(err))
		}
		return
	}
	defer rows.Close()
	for rows.Next() {
		var blocker int32
		var ended bool
		if err := rows.Scan(&blocker, &ended); err != nil {
			break
		}
		s.logger.Warn("ended the session of a consumer that was left in the middle of a transaction",
			"pid", blocker, "ended", ended)
	}
	if err := rows.Err(); err != nil && ctx.Err() == nil {
		s.logger.Warn("can't look for what blocks a transaction", "error", Explain(err))
	}
}
