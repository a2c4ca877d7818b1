package store

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/streamgauge/streamgauge/consumer/internal/distribution"
	"github.com/streamgauge/streamgauge/shared/stats"
)

// Comparison is the running statistics beside what the tables say, both as of
// one moment.
type Comparison struct {
	// Running is the row of the table stats.
	Running *stats.Snapshot
	// Table is the same figures from the tables themselves; its identifying
	// fields are Running's.
	Table *stats.Snapshot
	// Differences names the figures that do not agree, as they stand in JSON, and
	// "buckets" where the counts of prices in buckets do not.
	Differences []string
	// Groups are the statistics by source and by day beside the tables.
	Groups []GroupComparison
}

// Agree says whether nothing differs.
func (c *Comparison) Agree() bool {
	for _, groups := range c.Groups {
		if groups.Different > 0 {
			return false
		}
	}
	return len(c.Differences) == 0
}

// min and max compare as numbers: of equal prices with different scales, which
// one is shown is arbitrary in SQL too.
const selectTable = `
SELECT count(*), count(price), sum(price)::text, avg(price)::text, min(price)::text, max(price)::text,
       stddev_samp(price)::text, min("timestamp"), max("timestamp"),
       (SELECT count(*) FROM rejects), (SELECT count(*) FROM dead_batches),
       min(price) IS NOT DISTINCT FROM $1::numeric, max(price) IS NOT DISTINCT FROM $2::numeric,
       coalesce((SELECT buckets FROM table_stats('all')), ''), (SELECT buckets FROM stats WHERE metric = 'price')
  FROM prices`

// Compare reads every row of prices, several times: it takes as long as that
// takes.
func (s *Store) Compare(ctx context.Context) (*Comparison, error) {
	var c Comparison
	err := s.read(ctx, func(tx pgx.Tx) (err error) {
		if c.Running, err = latest(ctx, tx); err != nil {
			return err
		}
		if c.Table, c.Differences, err = fromTable(ctx, tx, c.Running); err != nil {
			return err
		}
		c.Groups, err = compareGroups(ctx, tx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("compare the statistics: %w", err)
	}
	return &c, nil
}

func fromTable(ctx context.Context, tx pgx.Tx, running *stats.Snapshot) (*stats.Snapshot, []string, error) {
	table := *running
	var sum, mean, least, greatest, stddev *string
	var first, last *time.Time
	var sameMin, sameMax bool
	var buckets, counted distribution.Counts
	err := tx.QueryRow(ctx, selectTable, nullIfEmpty(string(running.Min)), nullIfEmpty(string(running.Max))).Scan(
		&table.Rows, &table.Count, &sum, &mean, &least, &greatest, &stddev, &first, &last,
		&table.Rejected, &table.Dead, &sameMin, &sameMax, &counted, &buckets)
	if err != nil {
		return nil, nil, err
	}
	table.Nulls = table.Rows - table.Count
	table.Sum, table.Mean, table.Min, table.Max, table.StdDev = number(sum), number(mean), number(least), number(greatest), number(stddev)
	table.P50, table.P95, table.P99 = quantiles(counted, table.Min, table.Max)
	table.First, table.Last = instant(first), instant(last)

	var differences []string
	for _, figure := range []struct {
		name string
		same bool
	}{
		{"rows", running.Rows == table.Rows},
		{"count", running.Count == table.Count},
		{"nulls", running.Nulls == table.Nulls},
		{"rejected", running.Rejected == table.Rejected},
		{"dead", running.Dead == table.Dead},
		{"sum", running.Sum == table.Sum},
		{"mean", running.Mean == table.Mean},
		{"min", sameMin},
		{"max", sameMax},
		{"stddev", running.StdDev == table.StdDev},
		{"p50", running.P50 == table.P50},
		{"p95", running.P95 == table.P95},
		{"p99", running.P99 == table.P99},
		{"buckets", bytes.Equal(buckets, counted)},
		{"first", running.First == table.First},
		{"last", running.Last == table.Last},
	} {
		if !figure.same {
			differences = append(differences, figure.name)
		}
	}
	return &table, differences, nil
}
