// Package exact checks what a measured run has left: a fast way to a wrong
// result is no result.
package exact

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/streamgauge/streamgauge/tests/benchmarks/input"
	"github.com/streamgauge/streamgauge/tests/benchmarks/proc"
	"github.com/streamgauge/streamgauge/tests/benchmarks/stage"
)

// Copied fails unless the table holds the file's rows, as far as counts and
// sums of its three columns tell.
func Copied(ctx context.Context, db *stage.Database, table string, want input.Sums) error {
	want.Line, want.LineTimesUser = 0, ""
	var have input.Sums
	query := "SELECT count(*), count(price), sum(price)::text, sum(user_id)::bigint FROM " + pgx.Identifier{table}.Sanitize()
	err := db.Conn.QueryRow(ctx, query).Scan(&have.Rows, &have.Prices, &have.Price, &have.UserID)
	if err != nil {
		return err
	}
	return differ(want, have)
}

// Loaded fails unless the database holds the file's rows once, each with its
// line, its ledger and its sources say so, nothing was set aside, and the
// statistics are those of a SELECT over the table by the product's own word.
func Loaded(ctx context.Context, st *stage.Stage, db *stage.Database, want input.Sums) error {
	var have input.Sums
	err := db.Conn.QueryRow(ctx, `SELECT count(*), count(price), sum(price)::text, sum(user_id)::bigint,
		sum(line)::bigint, sum(line::numeric * user_id)::text FROM prices`).
		Scan(&have.Rows, &have.Prices, &have.Price, &have.UserID, &have.Line, &have.LineTimesUser)
	if err != nil {
		return err
	}
	if err := differ(want, have); err != nil {
		return err
	}
	var inLedger, inStats, missing, rejects, dead int64
	err = db.Conn.QueryRow(ctx, `SELECT
		(SELECT sum(records) FROM batches),
		(SELECT rows FROM stats),
		(SELECT sum(batches) FROM sources) - (SELECT count(*) FROM batches),
		(SELECT count(*) FROM rejects),
		(SELECT count(*) FROM dead_batches)`).Scan(&inLedger, &inStats, &missing, &rejects, &dead)
	if err != nil {
		return err
	}
	if inLedger != want.Rows || inStats != want.Rows || missing != 0 || rejects != 0 || dead != 0 {
		return fmt.Errorf("of %d rows, %d are in the ledger and %d in the statistics, %d batches are missing, %d rows rejected, %d messages set aside",
			want.Rows, inLedger, inStats, missing, rejects, dead)
	}
	_, err = proc.Run("consumer stats", st.Consumer, []string{"DATABASE_URL=" + db.URL}, "stats")
	return err
}

func differ(want, have input.Sums) error {
	if diff := cmp.Diff(want, have); diff != "" {
		return errors.New("the table does not hold the file's rows (-want +have):\n" + diff)
	}
	return nil
}

const (
	drainTime     = 20 * time.Second
	drainInterval = 10 * time.Millisecond
)

// Drained waits until every message has been acknowledged, which follows the
// commits without anyone waiting for it.
func Drained(ctx context.Context, broker *stage.Broker) error {
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	ticker := time.NewTicker(drainInterval)
	defer ticker.Stop()
	for {
		left, err := broker.Backlog(ctx)
		if err == nil && left == 0 {
			return nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("%d messages are left in the stream after %s: %w", left, drainTime, errors.Join(err, ctx.Err()))
		}
	}
}
