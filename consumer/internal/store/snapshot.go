package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/streamgauge/streamgauge/consumer/internal/distribution"
	"github.com/streamgauge/streamgauge/shared/stats"
)

const snapshotColumns = `metric, database::text, revision, rows, count, rejected, dead,
	CASE WHEN count > 0 THEN sum::text END, mean::text, min::text, max::text, stddev::text,
	first, last, source, updated_at, buckets`

// Latest returns the statistics as last committed.
func (s *Store) Latest(ctx context.Context) (*stats.Snapshot, error) {
	return latest(ctx, s.pool)
}

type queryer interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func latest(ctx context.Context, q queryer) (*stats.Snapshot, error) {
	snapshot, err := scanSnapshot(q.QueryRow(ctx, "SELECT "+snapshotColumns+" FROM stats WHERE metric = 'price'"))
	if err != nil {
		return nil, fmt.Errorf("read the statistics: %w", err)
	}
	return snapshot, nil
}

func scanSnapshot(row pgx.Row) (*stats.Snapshot, error) {
	var s stats.Snapshot
	var sum, mean, least, greatest, stddev *string
	var first, last, updated *time.Time
	var buckets distribution.Counts
	err := row.Scan(&s.Metric, &s.Database, &s.Revision, &s.Rows, &s.Count, &s.Rejected, &s.Dead,
		&sum, &mean, &least, &greatest, &stddev, &first, &last, &s.Source, &updated, &buckets)
	if err == nil {
		err = buckets.Check()
	}
	if err != nil {
		return nil, err
	}
	s.Nulls = s.Rows - s.Count
	s.Sum, s.Mean, s.Min, s.Max, s.StdDev = number(sum), number(mean), number(least), number(greatest), number(stddev)
	s.P50, s.P95, s.P99 = quantiles(buckets, s.Min, s.Max)
	s.First, s.Last, s.UpdatedAt = instant(first), instant(last), instant(updated)
	return &s, nil
}

func quantiles(buckets distribution.Counts, least, greatest stats.Number) (p50, p95, p99 stats.Number) {
	at := func(percent int64) stats.Number {
		return stats.Number(buckets.Quantile(percent, string(least), string(greatest)))
	}
	return at(50), at(95), at(99)
}

func number(text *string) stats.Number {
	if text == nil {
		return ""
	}
	return stats.Number(*text)
}

func instant(t *time.Time) stats.Time {
	if t == nil {
		return ""
	}
	return stats.TimeOf(*t)
}
