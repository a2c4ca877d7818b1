package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/streamgauge/streamgauge/shared/stats"
)

// StoredReject is a record that was rejected and not corrected since.
type StoredReject struct {
	Source string `json:"source"`
	Name   string `json:"name"`
	Batch  int64  `json:"batch"`
	Line   int64  `json:"line"`
	// Column is empty where it is the whole record.
	Column string `json:"column,omitempty"`
	Reason string `json:"reason"`
	// Raw is the record's bytes, whatever they are, the first 64 KiB of a longer one.
	Raw    []byte `json:"raw"`
	Length int64  `json:"length"`
	// Digest is the SHA-256 of the whole record where Raw is its beginning.
	Digest     []byte     `json:"digest,omitempty"`
	RejectedAt stats.Time `json:"rejected_at"`
}

// Cut says that only the beginning of the record was kept.
func (r *StoredReject) Cut() bool { return r.Digest != nil }

// Rejects calls show with the rejects of the load that given stands for, or of
// all loads where it is empty, as of one moment: loads in the order they began,
// records in that of their lines. It returns how many there are, of which the
// first limit were shown; a limit below zero shows all. What show is given
// holds until it returns.
func (s *Store) Rejects(ctx context.Context, given string, limit int64, show func(*StoredReject) error) (total int64, err error) {
	err = s.read(ctx, func(tx pgx.Tx) error {
		var only *int32
		if given != "" {
			id, _, err := find(ctx, tx, given)
			if err != nil {
				return err
			}
			only = &id
		}
		const which = " FROM rejects r JOIN sources s USING (source_id) WHERE $1::integer IS NULL OR source_id = $1"
		if err := tx.QueryRow(ctx, "SELECT count(*)"+which, only).Scan(&total); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT identity, name, batch, line, coalesce(column_name, ''), reason, raw, length, digest, rejected_at`+
			which+" ORDER BY source_id, batch, line LIMIT CASE WHEN $2::bigint >= 0 THEN $2 END", only, limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var r StoredReject
			var at time.Time
			err := rows.Scan(&r.Source, &r.Name, &r.Batch, &r.Line, &r.Column, &r.Reason, &r.Raw, &r.Length, &r.Digest, &at)
			if err != nil {
				return err
			}
			r.RejectedAt = stats.TimeOf(at)
			if err := show(&r); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	return total, err
}

// Reject returns the reject on a line of the load that given stands for. Where
// there is none the error is a *NoRejectError.
func (s *Store) Reject(ctx context.Context, given string, line int64) (*StoredReject, error) {
	var found *StoredReject
	err := s.read(ctx, func(tx pgx.Tx) error {
		id, load, err := find(ctx, tx, given)
		if err != nil {
			return err
		}
		r := StoredReject{Source: load.Source, Name: load.Name, Line: line}
		var at time.Time
		rows, err := tx.Query(ctx, `SELECT batch, coalesce(column_name, ''), reason, raw, length, digest, rejected_at
			FROM rejects WHERE source_id = $1 AND line = $2 LIMIT 1`, id, line)
		if err != nil {
			return err
		}
		_, err = pgx.ForEachRow(rows, []any{&r.Batch, &r.Column, &r.Reason, &r.Raw, &r.Length, &r.Digest, &at}, func() error {
			r.RejectedAt = stats.TimeOf(at)
			found = &r
			return nil
		})
		if err != nil {
			return err
		}
		if found != nil {
			return nil
		}
		missing := &NoRejectError{Given: given, Line: line}
		err = tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM corrections WHERE source_id = $1 AND line = $2)", id, line).Scan(&missing.Corrected)
		if err != nil {
			return err
		}
		return missing
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}
