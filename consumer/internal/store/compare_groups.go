package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/streamgauge/streamgauge/shared/stats"
)

// GroupComparison is the running statistics of all groups of one kind beside
// what the tables say.
type GroupComparison struct {
	By stats.By
	// Groups is how many have rows, by one side at least; Different is how many
	// do not agree, of which the first are listed.
	Groups, Different int64
	Differences       []GroupDifference
}

// GroupDifference is a group that does not agree.
type GroupDifference struct {
	// Key is a source's name, or a day.
	Key string
	// Figures are those that differ.
	Figures []string
}

// shownDifferences is how many groups are listed.
const shownDifferences = 10

// comparisonBy holds a table of running statistics against the aggregates of
// SQL, and its buckets against those that the prices of the table are in.
func comparisonBy(by stats.By, table, key, expression, label string) string {
	return fmt.Sprintf(`
WITH direct AS (SELECT %[3]s AS key, count(*) AS rows, count(price) AS count, coalesce(sum(price), 0) AS sum, avg(price) AS mean,
                       min(price) AS min, max(price) AS max, stddev_samp(price) AS stddev
                  FROM prices GROUP BY key),
     running AS (SELECT %[2]s AS key, rows, count, sum, CASE WHEN count > 0 THEN sum / count END AS mean, min, max,
                        stats_stddev_samp(count, sum, sum_squares) AS stddev, buckets
                   FROM %[1]s WHERE rows > 0),
     counted AS (SELECT key, buckets FROM table_stats('%[5]s'))
SELECT coalesce(%[4]s, '?'), array_remove(ARRAY[
       CASE WHEN running.rows IS DISTINCT FROM direct.rows THEN 'rows' END,
       CASE WHEN running.count IS DISTINCT FROM direct.count THEN 'count' END,
       CASE WHEN running.sum::text IS DISTINCT FROM direct.sum::text THEN 'sum' END,
       CASE WHEN running.mean::text IS DISTINCT FROM direct.mean::text THEN 'mean' END,
       CASE WHEN running.min IS DISTINCT FROM direct.min THEN 'min' END,
       CASE WHEN running.max IS DISTINCT FROM direct.max THEN 'max' END,
       CASE WHEN running.stddev::text IS DISTINCT FROM direct.stddev::text THEN 'stddev' END,
       CASE WHEN running.buckets IS DISTINCT FROM counted.buckets THEN 'buckets' END], NULL)
  FROM direct FULL JOIN running USING (key) LEFT JOIN counted USING (key)
 ORDER BY key`, table, key, expression, label, by)
}

var comparisons = map[stats.By]string{
	stats.BySource: comparisonBy(stats.BySource, "stats_by_source", "source_id::bigint", "source_id::bigint",
		"(SELECT name FROM sources WHERE source_id = key)"),
	stats.ByDay: comparisonBy(stats.ByDay, "stats_by_day", "(day - date '1970-01-01')::bigint",
		`(("timestamp" AT TIME ZONE 'UTC')::date - date '1970-01-01')::bigint`, calendar("(date '1970-01-01' + key::integer)", "-MM-DD")),
}

func compareGroups(ctx context.Context, tx pgx.Tx) ([]GroupComparison, error) {
	var compared []GroupComparison
	for _, by := range []stats.By{stats.BySource, stats.ByDay} {
		c := GroupComparison{By: by}
		rows, err := tx.Query(ctx, comparisons[by])
		if err != nil {
			return nil, err
		}
		var d GroupDifference
		_, err = pgx.ForEachRow(rows, []any{&d.Key, &d.Figures}, func() error {
			c.Groups++
			if len(d.Figures) == 0 {
				return nil
			}
			if c.Different++; len(c.Differences) < shownDifferences {
				c.Differences = append(c.Differences, GroupDifference{d.Key, append([]string(nil), d.Figures...)})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		compared = append(compared, c)
	}
	return compared, nil
}
