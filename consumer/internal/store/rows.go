package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

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

func insertRejects(ctx context.Context, tx pgx.Tx, batches []claimed) error {
	var rows [][]any
	for _, b := range batches {
		for i := range b.Rejects {
			r := &b.Rejects[i]
			rows = append(rows, []any{b.sourceID, r.Line, orNull(r.Column), r.Reason, r.Raw, r.Length, digestOrNull(r.Digest)})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	columns := []string{"source_id", "line", "column_name", "reason", "raw", "length", "digest"}
	stored, err := tx.CopyFrom(ctx, pgx.Identifier{"rejects"}, columns, pgx.CopyFromRows(rows))
	if err != nil {
		return fmt.Errorf("store rejects: %w", err)
	}
	if stored != int64(len(rows)) {
		return &countError{table: "rejects", want: int64(len(rows)), have: stored}
	}
	return nil
}

const insertDeadBatches = `
INSERT INTO dead_batches (stream_sequence, stream_time, subject, headers, payload, reason, claimed_source, claimed_batch)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT DO NOTHING`

// insertDead returns how many of the messages were not set aside before.
func insertDead(ctx context.Context, tx pgx.Tx, dead []*Dead) (int, error) {
	fresh := 0
	for _, d := range dead {
		headers, payload := d.Headers, d.Payload
		if headers == nil {
			headers = []byte{}
		}
		if payload == nil {
			payload = []byte{}
		}
		tag, err := tx.Exec(ctx, insertDeadBatches, int64(d.Sequence), d.Time, d.Subject, headers, payload,
			d.Reason, orNull(d.ClaimedSource), zeroOrNull(d.ClaimedBatch))
		if err != nil {
			return 0, fmt.Errorf("set a message aside: %w", err)
		}
		fresh += int(tag.RowsAffected())
	}
	return fresh, nil
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func zeroOrNull(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}

func digestOrNull(digest *[sha256.Size]byte) []byte {
	if digest == nil {
		return nil
	}
	return digest[:]
}
