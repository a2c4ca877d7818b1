package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/streamgauge/streamgauge/shared/stats"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// Recent is what was lately loaded and set aside, as of one moment.
type Recent struct {
	// Sources is how many there are; UnderWay how many of them lack batches.
	Sources, UnderWay int64
	// Loads are those under way, the latest first, then the others.
	Loads []RecentLoad
	// Rejects are of the latest loads first, the last line first.
	Rejects []RecentReject
	// Dead are the latest first.
	Dead []RecentDead
}

// RecentLoad is a load and how far it is.
type RecentLoad struct {
	Source, Name  string
	Batches, Done int64
	Rows          int64
	Rejected      int64
	CompletedAt   stats.Time // NULL while batches are missing
}

// RecentReject is a reject that stands.
type RecentReject struct {
	Name   string
	Line   int64
	Column string // empty where it is the whole record
	Reason string
	// Raw is the beginning of the record, Length that of all of it.
	Raw        []byte
	Length     int64
	RejectedAt stats.Time
}

// RecentDead is a message that was set aside whole.
type RecentDead struct {
	ID     int64
	Reason string
	At     stats.Time
}

// Recent returns the latest loads, and of rejects and of dead batches each the
// latest. But for counting the sources it reads no more than it returns.
func (s *Store) Recent(ctx context.Context, loads, setAside int) (*Recent, error) {
	var r Recent
	err := s.read(ctx, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, "SELECT count(*), count(*) FILTER (WHERE done < batches) FROM sources WHERE retired_at IS NULL").
			Scan(&r.Sources, &r.UnderWay)
		if err != nil {
			return err
		}
		if r.Loads, err = recentLoads(ctx, tx, loads); err != nil {
			return err
		}
		if r.Rejects, err = recentRejects(ctx, tx, setAside); err != nil {
			return err
		}
		r.Dead, err = recentDead(ctx, tx, setAside)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look at the latest loads: %w", err)
	}
	return &r, nil
}

func recentLoads(ctx context.Context, tx pgx.Tx, most int) ([]RecentLoad, error) {
	rows, err := tx.Query(ctx, `SELECT identity, name, batches, done, rows, rejected, completed_at
		FROM sources WHERE retired_at IS NULL ORDER BY done < batches DESC, source_id DESC LIMIT $1`, most)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (RecentLoad, error) {
		var l RecentLoad
		var completed *time.Time
		err := row.Scan(&l.Source, &l.Name, &l.Batches, &l.Done, &l.Rows, &l.Rejected, &completed)
		l.CompletedAt = instant(completed)
		return l, err
	})
}

func recentRejects(ctx context.Context, tx pgx.Tx, most int) ([]RecentReject, error) {
	rows, err := tx.Query(ctx, `SELECT name, line, coalesce(column_name, ''), reason, substring(raw FOR $2), length, rejected_at
		FROM (SELECT source_id, batch, line, column_name, reason, raw, length, rejected_at FROM rejects ORDER BY source_id DESC, batch DESC, line DESC LIMIT $1) AS latest
		JOIN sources USING (source_id) ORDER BY source_id DESC, batch DESC, line DESC`, most, wire.MaxRaw)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (RecentReject, error) {
		var r RecentReject
		var at time.Time
		err := row.Scan(&r.Name, &r.Line, &r.Column, &r.Reason, &r.Raw, &r.Length, &at)
		r.RejectedAt = stats.TimeOf(at)
		return r, err
	})
}

func recentDead(ctx context.Context, tx pgx.Tx, most int) ([]RecentDead, error) {
	rows, err := tx.Query(ctx, "SELECT dead_batch_id, reason, recorded_at FROM dead_batches ORDER BY dead_batch_id DESC LIMIT $1", most)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (RecentDead, error) {
		var d RecentDead
		var at time.Time
		err := row.Scan(&d.ID, &d.Reason, &at)
		d.At = stats.TimeOf(at)
		return d, err
	})
}
