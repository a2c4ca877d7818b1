package oracle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/streamgauge/streamgauge/tests/harness"
)

// shown is how many lost, doubled or altered rows a failure lists.
const shown = 10

// Check fails the test unless the database holds exactly loads, its statistics
// are those of its rows to the last digit, the stream is empty and no message
// was set aside.
func Check(t testing.TB, env *harness.Env, loads ...Load) {
	t.Helper()
	CheckTables(t, env, loads...)
	if n := env.Int(t, "SELECT count(*) FROM dead_batches"); n != 0 {
		t.Errorf("%d messages were set aside, none was planted", n)
	}
	CheckStreamEmpty(t, env)
}

// CheckTables is Check without the stream and the dead batches.
func CheckTables(t testing.TB, env *harness.Env, loads ...Load) {
	t.Helper()
	ctx, cancel := checkContext(t)
	defer cancel()
	conn, err := env.DB.Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	checkRows(ctx, t, conn, loads)
	checkSources(ctx, t, conn, loads)
	checkRejects(ctx, t, conn, loads)
	checkStats(ctx, t, conn)
	checkGroups(ctx, t, conn)
	checkBuckets(ctx, t, conn)
}

// checkRows compares as multisets: EXCEPT ALL keeps what stands more often on
// the left.
func checkRows(ctx context.Context, t testing.TB, conn *pgxpool.Conn, loads []Load) {
	t.Helper()
	must(t, exec(ctx, conn, `CREATE TEMP TABLE IF NOT EXISTS expected
		(identity text, line bigint, "timestamp" timestamptz, price text, user_id bigint)`))
	must(t, exec(ctx, conn, `TRUNCATE expected`))
	for _, load := range loads {
		_, err := conn.CopyFrom(ctx, pgx.Identifier{"expected"}, []string{"identity", "line", "timestamp", "price", "user_id"},
			pgx.CopyFromSlice(len(load.Rows), func(i int) ([]any, error) {
				r := load.Rows[i]
				var price *string
				if r.Price != "" {
					price = &r.Price
				}
				return []any{load.ID, r.Line, r.Time, price, r.UserID}, nil
			}))
		must(t, err)
	}
	names := make(map[string]string, len(loads))
	for _, load := range loads {
		names[load.ID] = load.Name
	}
	for _, d := range differences(ctx, t, conn) {
		name, known := names[d.identity]
		if !known {
			name = d.identity
		}
		t.Errorf("%s:%d: %s", name, d.line, d)
	}
}

// difference is a line of a source that is not stored as often as it stands in
// the file, or not with the same values. want and got are its values, in a row
// for each time.
type difference struct {
	identity  string
	line      int64
	want, got []string
}

func (d difference) String() string {
	switch {
	case len(d.got) == 0:
		return fmt.Sprintf("lost: %s", d.want[0])
	case len(d.want) == 0:
		return fmt.Sprintf("invented: %s", d.got[0])
	case slices.Contains(d.got, d.want[0]):
		return fmt.Sprintf("doubled: stored %d times: %s", len(d.got), d.want[0])
	default:
		return fmt.Sprintf("altered: %s is stored as %s", d.want[0], d.got[0])
	}
}

func differences(ctx context.Context, t testing.TB, conn *pgxpool.Conn) []difference {
	t.Helper()
	const stored = `SELECT coalesce(identity, 'source ' || source_id) AS identity, line, "timestamp", price::text, user_id
		FROM prices LEFT JOIN sources USING (source_id)`
	const expected = `SELECT identity, line, "timestamp", price, user_id FROM expected`
	rows, err := conn.Query(ctx, `
		WITH stored AS (`+stored+`), expected AS (`+expected+`),
		     differing AS (SELECT identity, line FROM (TABLE stored EXCEPT ALL TABLE expected) a
		                    UNION SELECT identity, line FROM (TABLE expected EXCEPT ALL TABLE stored) b
		                    ORDER BY 1, 2 LIMIT $1)
		SELECT identity, line,
		       ARRAY (SELECT concat_ws(' ', e.timestamp, coalesce(e.price, 'NULL'), e.user_id) FROM expected e WHERE (e.identity, e.line) = (d.identity, d.line)),
		       ARRAY (SELECT concat_ws(' ', s.timestamp, coalesce(s.price, 'NULL'), s.user_id) FROM stored s WHERE (s.identity, s.line) = (d.identity, d.line))
		  FROM differing d`, shown)
	must(t, err)
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (d difference, err error) {
		err = row.Scan(&d.identity, &d.line, &d.want, &d.got)
		return d, err
	})
	must(t, err)
	return found
}

// checkSources holds the ledger and the sources against each other and loads.
func checkSources(ctx context.Context, t testing.TB, conn *pgxpool.Conn, loads []Load) {
	t.Helper()
	if n := one[int](ctx, t, conn, `SELECT count(*) FROM sources WHERE retired_at IS NULL`); n != len(loads) {
		t.Errorf("%d sources, not %d", n, len(loads))
	}
	for _, load := range loads {
		var batches, done, ledger, inLedger, rows, rejected int64
		var completed bool
		err := conn.QueryRow(ctx, `SELECT batches, done, rows, rejected, completed_at IS NOT NULL AND stats_after IS NOT NULL,
				(SELECT count(*) FROM batches b WHERE b.source_id = s.source_id),
				(SELECT coalesce(sum(records), 0) FROM batches b WHERE b.source_id = s.source_id)
			FROM sources s WHERE identity = $1`, load.ID).Scan(&batches, &done, &rows, &rejected, &completed, &ledger, &inLedger)
		if errors.Is(err, pgx.ErrNoRows) {
			t.Errorf("%s %s is not among the sources", load.Name, load.ID)
			continue
		}
		must(t, err)
		if done != batches || ledger != batches || !completed {
			t.Errorf("%s: %d batches in all, %d done, %d in the ledger, completed: %t", load.Name, batches, done, ledger, completed)
		}
		if inLedger != load.Records || rows != int64(len(load.Rows)) || rejected != int64(len(load.Rejects)) {
			t.Errorf("%s: %d records in the ledger, %d rows, %d rejected; want %d, %d, %d",
				load.Name, inLedger, rows, rejected, load.Records, len(load.Rows), len(load.Rejects))
		}
	}
}

func checkRejects(ctx context.Context, t testing.TB, conn *pgxpool.Conn, loads []Load) {
	t.Helper()
	want := 0
	for _, load := range loads {
		want += len(load.Rejects)
		rows, err := conn.Query(ctx, `SELECT line, raw FROM rejects JOIN sources USING (source_id) WHERE identity = $1 ORDER BY line`, load.ID)
		must(t, err)
		var lines []int64
		var line int64
		var raw []byte
		_, err = pgx.ForEachRow(rows, []any{&line, &raw}, func() error {
			lines = append(lines, line)
			if want, known := load.Raw[line]; known && want != string(raw) {
				t.Errorf("%s:%d: altered: the reject holds %q, not %q", load.Name, line, raw, want)
			}
			return nil
		})
		must(t, err)
		if !slices.Equal(lines, load.Rejects) {
			t.Errorf("%s: lines rejected: %d, want %d", load.Name, lines, load.Rejects)
		}
	}
	if n := one[int](ctx, t, conn, `SELECT count(*) FROM rejects`); n != want {
		t.Errorf("%d rejects of all sources, not %d", n, want)
	}
}

// wrongFigures are those of the row of stats that are not the aggregates over the
// table, as text where the promise is to the last digit.
const wrongFigures = `
	WITH "table" AS (SELECT count(*) AS rows, count(price) AS count, coalesce(sum(price), 0) AS sum, avg(price) AS mean,
	                        min(price) AS min, max(price) AS max, stddev_samp(price) AS stddev,
	                        min("timestamp") AS first, max("timestamp") AS last FROM prices)
	SELECT figure, running, direct FROM stats s, "table" t, LATERAL (VALUES
		('rows', s.rows::text, t.rows::text),
		('count', s.count::text, t.count::text),
		('rejected', s.rejected::text, (SELECT count(*) FROM rejects)::text),
		('dead', s.dead::text, (SELECT count(*) FROM dead_batches)::text),
		('sum', s.sum::text, t.sum::text),
		('mean', s.mean::text, t.mean::text),
		('stddev', s.stddev::text, t.stddev::text),
		('min', (s.min IS NOT DISTINCT FROM t.min)::text, 'true'),
		('max', (s.max IS NOT DISTINCT FROM t.max)::text, 'true'),
		('first', s.first::text, t.first::text),
		('last', s.last::text, t.last::text)) AS f (figure, running, direct)
	WHERE running IS DISTINCT FROM direct`

func checkStats(ctx context.Context, t testing.TB, conn *pgxpool.Conn) {
	t.Helper()
	rows, err := conn.Query(ctx, wrongFigures)
	must(t, err)
	var figure string
	var running, direct *string
	_, err = pgx.ForEachRow(rows, []any{&figure, &running, &direct}, func() error {
		t.Errorf("stats.%s is %s, the table's is %s", figure, text(running), text(direct))
		return nil
	})
	must(t, err)
}

// CheckStreamEmpty waits for the last acknowledgements: they follow the commits
// without anyone waiting for them.
func CheckStreamEmpty(t testing.TB, env *harness.Env) {
	t.Helper()
	js := env.JetStream(t)
	env.Promised(t, 15*time.Second).Eventually(t, "the stream ROWS is empty", func() (bool, string) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		stream, err := js.Stream(ctx, "ROWS")
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			return false, "no stream"
		}
		if err != nil {
			return false, err.Error()
		}
		messages := stream.CachedInfo().State.Msgs
		return messages == 0, fmt.Sprintf("%d messages", messages)
	})
}

func one[T any](ctx context.Context, t testing.TB, conn *pgxpool.Conn, query string, args ...any) T {
	t.Helper()
	var value T
	must(t, conn.QueryRow(ctx, query, args...).Scan(&value))
	return value
}

func exec(ctx context.Context, conn *pgxpool.Conn, query string) error {
	_, err := conn.Exec(ctx, query)
	return err
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func text(s *string) string {
	if s == nil {
		return "NULL"
	}
	return *s
}
