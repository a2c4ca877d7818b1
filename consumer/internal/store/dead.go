package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/streamgauge/streamgauge/consumer/internal/tally"
	"github.com/streamgauge/streamgauge/shared/stats"
)

// StoredDead is a message that was set aside whole.
type StoredDead struct {
	ID       int64      `json:"id"`
	Sequence int64      `json:"stream_sequence"`
	Time     stats.Time `json:"stream_time"`
	Subject  string     `json:"subject"`
	// Headers is the header block as NATS carries it, Payload the body: whatever
	// they hold.
	Headers []byte `json:"headers"`
	Payload []byte `json:"payload"`
	Reason  string `json:"reason"`
	// Source and Batch are what its headers claim, where they can be read.
	Source     string     `json:"claimed_source,omitempty"`
	Batch      int64      `json:"claimed_batch,omitempty"`
	RecordedAt stats.Time `json:"recorded_at"`
}

const deadColumns = `dead_batch_id, stream_sequence, stream_time, subject, headers, payload, reason,
	coalesce(claimed_source, ''), coalesce(claimed_batch, 0), recorded_at`

func scanDead(row pgx.Row) (*StoredDead, error) {
	var d StoredDead
	var sent, recorded time.Time
	err := row.Scan(&d.ID, &d.Sequence, &sent, &d.Subject, &d.Headers, &d.Payload, &d.Reason, &d.Source, &d.Batch, &recorded)
	d.Time, d.RecordedAt = stats.TimeOf(sent), stats.TimeOf(recorded)
	return &d, err
}

// DeadBatches calls show with the messages that were set aside, the oldest
// first, as of one moment, and returns how many there are; the first limit are
// shown, all where it is below zero.
func (s *Store) DeadBatches(ctx context.Context, limit int64, show func(*StoredDead) error) (total int64, err error) {
	err = s.read(ctx, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, "SELECT count(*) FROM dead_batches").Scan(&total); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, "SELECT "+deadColumns+" FROM dead_batches ORDER BY dead_batch_id LIMIT CASE WHEN $1::bigint >= 0 THEN $1 END", limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			d, err := scanDead(rows)
			if err != nil {
				return err
			}
			if err := show(d); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err != nil {
		return 0, fmt.Errorf("list the dead batches: %w", err)
	}
	return total, nil
}

// DeadBatch returns the message that was set aside under that id. Where there
// is none the error is a *NoDeadBatchError.
func (s *Store) DeadBatch(ctx context.Context, id int64) (*StoredDead, error) {
	d, err := scanDead(s.pool.QueryRow(ctx, "SELECT "+deadColumns+" FROM dead_batches WHERE dead_batch_id = $1", id))
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, &NoDeadBatchError{IDs: []int64{id}}
	}
	if err != nil {
		return nil, fmt.Errorf("read the dead batch: %w", err)
	}
	return d, nil
}

// TakeDead removes the message that was set aside under that id, once send has
// given it back to the stream. What fails after that, or is in doubt, is tried
// again for a while without sending; if it goes on, the error is a *KeptDeadError:
// the message is in both, and nothing is lost, since the ledger stores a batch
// once. Where there is none the error is a *NoDeadBatchError. The statistics are
// nil where another replay, or an attempt in doubt, has removed it.
func (s *Store) TakeDead(ctx context.Context, id int64, send func(*StoredDead) error) (snapshot *stats.Snapshot, err error) {
	sent := false
	err = s.changeOnce(ctx, func(tx pgx.Tx) error {
		// The lock keeps a second replay from sending it too.
		d, err := scanDead(tx.QueryRow(ctx, "SELECT "+deadColumns+" FROM dead_batches WHERE dead_batch_id = $1 FOR UPDATE", id))
		if errors.Is(err, pgx.ErrNoRows) {
			return &NoDeadBatchError{IDs: []int64{id}}
		}
		if err != nil {
			return fmt.Errorf("read the dead batch: %w", err)
		}
		if err := send(d); err != nil {
			return err
		}
		sent = true
		snapshot, err = removeDead(ctx, tx, id)
		return err
	})
	if err == nil || !sent {
		return snapshot, err
	}
	if Classify(err) == Retry {
		err = s.change(ctx, func(tx pgx.Tx, _ bool) error {
			var err error
			snapshot, err = removeDead(ctx, tx, id)
			return err
		})
	}
	if err != nil {
		return nil, &KeptDeadError{ID: id, Cause: err}
	}
	return snapshot, nil
}

// removeDead removes the row of a dead batch if it is there.
func removeDead(ctx context.Context, tx pgx.Tx, id int64) (*stats.Snapshot, error) {
	tag, err := tx.Exec(ctx, "DELETE FROM dead_batches WHERE dead_batch_id = $1", id)
	if err != nil {
		return nil, fmt.Errorf("remove the dead batch: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return nil, nil
	}
	return addToStats(ctx, tx, tally.Summarize(nil), 0, -1, nil)
}
