package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/streamgauge/streamgauge/consumer/internal/pgcopy"
)

// copyRows stores the rows of all batches with one COPY and checks that
// PostgreSQL counted as many. A value PostgreSQL refuses is a *ValueError.
func copyRows(ctx context.Context, tx pgx.Tx, batches []claimed) error {
	var want int64
	chunks := make([][]byte, 0, len(batches))
	for _, b := range batches {
		if b.Tally.Rows == 0 {
			continue
		}
		want += b.Tally.Rows
		pgcopy.SetSource(b.Rows, b.sourceID)
		chunks = append(chunks, b.Rows)
	}
	if want == 0 {
		return nil
	}
	tag, err := tx.Conn().PgConn().CopyFrom(ctx, pgcopy.NewReader(chunks), pgcopy.Statement)
	if err != nil {
		var refused *pgconn.PgError
		if errors.As(err, &refused) && sqlClass(refused.Code) == classDataException {
			return &ValueError{refused}
		}
		return fmt.Errorf("copy rows: %w", err)
	}
	if tag.RowsAffected() != want {
		return &countError{table: "prices", want: want, have: tag.RowsAffected()}
	}
	return nil
}

var rejectColumns = []string{"source_id", "batch", "line", "column_name", "reason", "raw", "length", "digest"}

func insertRejects(ctx context.Context, tx pgx.Tx, batches []claimed) error {
	var want int64
	for _, b := range batches {
		want += int64(len(b.Rejects))
	}
	if want == 0 {
		return nil
	}
	stored, err := tx.CopyFrom(ctx, pgx.Identifier{"rejects"}, rejectColumns, pgx.CopyFromFunc(nextReject(batches)))
	if err != nil {
		return fmt.Errorf("store rejects: %w", err)
	}
	if stored != want {
		return &countError{table: "rejects", want: want, have: stored}
	}
	return nil
}

// nextReject returns a function that gives the rejects one by one, so that they
// are not all held twice, and nil when there are no more.
func nextReject(batches []claimed) func() ([]any, error) {
	i := 0
	return func() ([]any, error) {
		for len(batches) > 0 && i == len(batches[0].Rejects) {
			batches, i = batches[1:], 0
		}
		if len(batches) == 0 {
			return nil, nil
		}
		b := batches[0]
		r := &b.Rejects[i]
		i++
		return []any{b.sourceID, b.Number, r.Line, nullIfEmpty(r.Column), r.Reason, r.Raw, r.Length, nullIfNone(r.Digest)}, nil
	}
}

const insertDeadBatches = `
INSERT INTO dead_batches (stream_sequence, stream_time, subject, headers, payload, reason, claimed_source, claimed_batch)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT DO NOTHING`

// insertDead returns how many of the messages were not set aside before. Their
// keys are inserted in order, as those of batches are.
func insertDead(ctx context.Context, tx pgx.Tx, dead []*Dead) (int, error) {
	if len(dead) == 0 {
		return 0, nil
	}
	fresh := 0
	var pipeline pgx.Batch
	for _, d := range slices.SortedFunc(slices.Values(dead), bySequence) {
		pipeline.Queue(insertDeadBatches, int64(d.Sequence), d.Time, d.Subject, notNil(d.Headers), notNil(d.Payload),
			d.Reason, nullIfEmpty(d.ClaimedSource), nullIfZero(d.ClaimedBatch)).Exec(func(tag pgconn.CommandTag) error {
			fresh += int(tag.RowsAffected())
			return nil
		})
	}
	if err := tx.SendBatch(ctx, &pipeline).Close(); err != nil {
		return 0, fmt.Errorf("set messages aside: %w", err)
	}
	return fresh, nil
}

func bySequence(a, b *Dead) int {
	return cmp.Or(cmp.Compare(a.Sequence, b.Sequence), a.Time.Compare(b.Time))
}

// notNil makes none of nothing: to PostgreSQL a nil slice is NULL.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func nullIfEmpty(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func nullIfZero(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}

func nullIfNone(digest *[sha256.Size]byte) []byte {
	if digest == nil {
		return nil
	}
	return digest[:]
}
