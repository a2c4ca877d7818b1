package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/streamgauge/streamgauge/consumer/internal/distribution"
	"github.com/streamgauge/streamgauge/shared/stats"
)

// calendar writes a date as timestamps are: what PostgreSQL calls 1 BC, where a
// zone may bring the first hours of the year 1, is the year 0 and not 1 again.
func calendar(date, afterYear string) string {
	return fmt.Sprintf("(CASE WHEN %[1]s < date '0001-01-01' THEN to_char(%[1]s, '\"0000\"%[2]s') ELSE to_char(%[1]s, 'YYYY%[2]s') END)", date, afterYear)
}

// groupsOf are queries for what groups add up to, in order.
var groupsOf = map[stats.By]string{
	stats.BySource: `
SELECT identity AS key, name, revision, stats_by_source.rows, count, sum, sum_squares, min, max, ARRAY[buckets] AS buckets, source_id::bigint AS place
  FROM stats_by_source JOIN sources USING (source_id)`,
	stats.ByDay: `
SELECT ` + calendar("day", "-MM-DD") + ` AS key, '' AS name, revision, rows, count, sum, sum_squares, min, max, ARRAY[buckets] AS buckets,
       (day - date '1970-01-01')::bigint AS place
  FROM stats_by_day`,
	stats.ByMonth: `
SELECT ` + calendar("day", "-MM") + ` AS key, '' AS name, max(revision) AS revision, sum(rows)::bigint AS rows, sum(count)::bigint AS count, sum(sum) AS sum,
       sum(sum_squares) AS sum_squares, min(min) AS min, max(max) AS max, array_agg(buckets) AS buckets, min(day - date '1970-01-01')::bigint AS place
  FROM stats_by_day GROUP BY ` + calendar("day", "-MM"),
	stats.ByUser: `
SELECT key::text, '' AS name, (SELECT revision FROM stats WHERE metric = 'price') AS revision, rows, count, sum, sum_squares, min, max,
       ARRAY[buckets] AS buckets, key AS place
  FROM table_stats('user')`,
}

const groupColumns = `(SELECT database::text FROM stats WHERE metric = 'price'), key, name, revision, rows, count, CASE WHEN count > 0 THEN sum::text END,
	CASE WHEN count > 0 THEN (sum / count)::text END, min::text, max::text, stats_stddev_samp(count, sum, sum_squares)::text, buckets, place`

// Breakdown calls show with the statistics of each group that has rows, as of
// one moment: sources in the order in which they came, the others in their own.
func (s *Store) Breakdown(ctx context.Context, by stats.By, show func(*stats.Group) error) error {
	err := s.read(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, "SELECT "+groupColumns+" FROM ("+groupsOf[by]+") AS groups WHERE rows > 0 ORDER BY place")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			group, _, err := scanGroup(rows, by)
			if err != nil {
				return err
			}
			if err := show(group); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err != nil {
		return fmt.Errorf("read the statistics by %s: %w", by, err)
	}
	return nil
}

// Changed returns groups by source or by day that have changed after a revision,
// at most limit of them, in the order of their places and from the one after
// place on. last is the place of the last.
func (s *Store) Changed(ctx context.Context, by stats.By, revision, place int64, limit int) (groups []*stats.Group, last int64, err error) {
	rows, err := s.pool.Query(ctx, "SELECT "+groupColumns+" FROM ("+groupsOf[by]+
		") AS groups WHERE revision > $1 AND place > $2 ORDER BY place LIMIT $3", revision, place, limit)
	if err != nil {
		return nil, 0, fmt.Errorf("read the statistics by %s: %w", by, err)
	}
	defer rows.Close()
	for rows.Next() {
		group, at, err := scanGroup(rows, by)
		if err != nil {
			return nil, 0, fmt.Errorf("read the statistics by %s: %w", by, err)
		}
		groups, last = append(groups, group), at
	}
	return groups, last, rows.Err()
}

func scanGroup(row pgx.Row, by stats.By) (group *stats.Group, place int64, err error) {
	g := stats.Group{Metric: "price", By: by}
	var sum, mean, least, greatest, stddev *string
	var parts []distribution.Counts
	err = row.Scan(&g.Database, &g.Key, &g.Name, &g.Revision, &g.Rows, &g.Count, &sum, &mean, &least, &greatest, &stddev, &parts, &place)
	if err != nil {
		return nil, 0, err
	}
	var buckets distribution.Counts
	for _, part := range parts {
		if err := part.Check(); err != nil {
			return nil, 0, err
		}
		buckets = distribution.AppendSum(nil, buckets, part)
	}
	g.Nulls = g.Rows - g.Count
	g.Sum, g.Mean, g.Min, g.Max, g.StdDev = number(sum), number(mean), number(least), number(greatest), number(stddev)
	g.P50, g.P95, g.P99 = quantiles(buckets, g.Min, g.Max)
	return &g, place, nil
}

// Prices returns how many prices are in each bucket.
func (s *Store) Prices(ctx context.Context) (distribution.Counts, error) {
	var buckets distribution.Counts
	err := s.pool.QueryRow(ctx, "SELECT buckets FROM stats WHERE metric = 'price'").Scan(&buckets)
	if err == nil {
		err = buckets.Check()
	}
	if err != nil {
		return nil, fmt.Errorf("read the counts of prices: %w", err)
	}
	return buckets, nil
}
