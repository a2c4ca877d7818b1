package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/streamgauge/streamgauge/consumer/internal/distribution"
	"github.com/streamgauge/streamgauge/consumer/internal/tally"
	"github.com/streamgauge/streamgauge/shared/stats"
)

// running is a table of running statistics of groups.
type running struct {
	// read gives key and buckets of the rows that there are, insert and update
	// change them. All take the keys in order.
	read, insert, update string
}

// What stands in one is changed only under the lock on stats. So what is read
// stays until it is written, and what is not there to be read can be inserted.
func runningBy(table, column, key string) running {
	const figures = `unnest($1::integer[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[])
       AS new (key, rows, count, sum, sum_squares, min, max, buckets)`
	const revision = `(SELECT revision FROM stats WHERE metric = 'price')`
	return running{
		read: fmt.Sprintf(`SELECT key, buckets FROM unnest($1::integer[]) AS new (key) JOIN %s ON %s = %s`, table, column, key),
		insert: fmt.Sprintf(`
INSERT INTO %s (%s, revision, rows, count, sum, sum_squares, min, max, buckets)
SELECT %s, %s, rows, count, sum::numeric, sum_squares::numeric, min::numeric, max::numeric, buckets
  FROM %s
 ORDER BY key`, table, column, key, revision, figures),
		update: fmt.Sprintf(`
UPDATE %[1]s AS old
   SET revision    = %[4]s,
       rows        = old.rows + new.rows,
       count       = old.count + new.count,
       sum         = old.sum + new.sum::numeric,
       sum_squares = old.sum_squares + new.sum_squares::numeric,
       min         = least(old.min, new.min::numeric),
       max         = greatest(old.max, new.max::numeric),
       buckets     = new.buckets
  FROM %[5]s
 WHERE old.%[2]s = %[3]s`, table, column, key, revision, figures),
	}
}

var (
	runningBySource = runningBy("stats_by_source", "source_id", "key")
	runningByDay    = runningBy("stats_by_day", "day", "date '1970-01-01' + key")
)

// change is what a transaction adds to the statistics, and how the buckets of
// what it adds to stand then. It holds until the transaction ends.
type change struct {
	summary *tally.Summary
	buckets distribution.Counts
	// sources and days go with those of summary; nil where there were none.
	sources, days []distribution.Counts
}

// prepare takes the lock on the statistics and works out the change. beginning
// are the sources that had no batch before: it notes what the statistics are.
func prepare(ctx context.Context, tx pgx.Tx, summary *tally.Summary, beginning []int32) (*change, error) {
	c := change{summary: summary}
	var all distribution.Counts
	var pipeline pgx.Batch
	pipeline.Queue(lockStats).QueryRow(func(row pgx.Row) error { return row.Scan(&all) })
	if len(beginning) > 0 {
		pipeline.Queue(noteBefore, beginning)
	}
	if summary.Total.Rows > 0 {
		pipeline.Queue(runningBySource.read, keys(summary.Sources)).Query(mergeInto(&c.sources, summary.Sources))
		pipeline.Queue(runningByDay.read, keys(summary.Days)).Query(mergeInto(&c.days, summary.Days))
	}
	if err := tx.SendBatch(ctx, &pipeline).Close(); err != nil {
		return nil, err
	}
	if err := all.Check(); err != nil {
		return nil, err
	}
	room := make(distribution.Counts, 0, len(all)+len(summary.Total.Counts))
	c.buckets = distribution.AppendSum(room, all, summary.Total.Counts)
	return &c, nil
}

func keys(groups []tally.Group) []int32 {
	list := make([]int32, len(groups))
	for i := range groups {
		list[i] = groups[i].Key
	}
	return list
}

// mergeInto gives what the buckets of groups, which are in the order of their
// keys, will be: those that are read and what is added to them. It leaves nil
// where there were none. There may be hundreds: each row is merged as it comes,
// without a copy.
func mergeInto(merged *[]distribution.Counts, groups []tally.Group) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		size := 0
		for i := range groups {
			size += 2 * len(groups[i].Counts)
		}
		room := make(distribution.Counts, 0, size)
		*merged = make([]distribution.Counts, len(groups))
		for rows.Next() {
			var key int32
			var read pgtype.DriverBytes // valid until the next row
			if err := rows.Scan(&key, &read); err != nil {
				return err
			}
			old := distribution.Counts(read)
			if err := old.Check(); err != nil {
				return err
			}
			i, _ := slices.BinarySearchFunc(groups, key, func(g tally.Group, key int32) int { return cmp.Compare(g.Key, key) })
			from := len(room)
			room = distribution.AppendSum(room, old, groups[i].Counts)
			(*merged)[i] = room[from:len(room):len(room)]
		}
		return rows.Err()
	}
}

// queue queues the change, for which it takes the next revision; into gets the
// statistics as they are then.
func (c *change) queue(pipeline *pgx.Batch, rejected, dead int64, name *string, into **stats.Snapshot) {
	total := &c.summary.Total
	var first, last *time.Time
	if total.Rows > 0 {
		f, l := time.UnixMicro(c.summary.First).UTC(), time.UnixMicro(c.summary.Last).UTC()
		first, last = &f, &l
	}
	pipeline.Queue(updateStats, total.Rows, total.Count, rejected, dead, total.Sum, total.Squares,
		nullIfEmpty(total.Min), nullIfEmpty(total.Max), first, last, name, notNil(c.buckets)).QueryRow(func(row pgx.Row) (err error) {
		*into, err = scanSnapshot(row)
		return err
	})
	runningBySource.queue(pipeline, c.summary.Sources, c.sources)
	runningByDay.queue(pipeline, c.summary.Days, c.days)
}

// queue adds groups to the table, of which those that have merged buckets stand
// there.
func (r running) queue(pipeline *pgx.Batch, groups []tally.Group, merged []distribution.Counts) {
	var known, fresh figures
	for i := range groups {
		if merged != nil && merged[i] != nil {
			known.add(&groups[i], merged[i])
		} else {
			fresh.add(&groups[i], groups[i].Counts)
		}
	}
	known.queue(pipeline, r.update)
	fresh.queue(pipeline, r.insert)
}

// figures are groups column by column.
type figures struct {
	keys         []int32
	rows, counts []int64
	sum, squares []string
	least, most  []*string
	buckets      [][]byte
}

func (f *figures) add(g *tally.Group, buckets distribution.Counts) {
	f.keys = append(f.keys, g.Key)
	f.rows, f.counts = append(f.rows, g.Rows), append(f.counts, g.Count)
	f.sum, f.squares = append(f.sum, g.Sum), append(f.squares, g.Squares)
	f.least, f.most = append(f.least, nullIfEmpty(g.Min)), append(f.most, nullIfEmpty(g.Max))
	f.buckets = append(f.buckets, notNil(buckets))
}

func (f *figures) queue(pipeline *pgx.Batch, statement string) {
	if len(f.keys) > 0 {
		pipeline.Queue(statement, f.keys, f.rows, f.counts, f.sum, f.squares, f.least, f.most, f.buckets)
	}
}
