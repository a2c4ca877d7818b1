package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/streamgauge/streamgauge/consumer/internal/pgcopy"
	"github.com/streamgauge/streamgauge/shared/stats"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// Kind says which table a record stands in.
type Kind int16

// The kinds, in the order in which the records of one line come.
const (
	KindCorrection Kind = iota + 1
	KindRow
	KindReject
)

// Record is one record of a source as the tables hold it. Its slices hold until
// the next one is asked for.
type Record struct {
	Line int64
	Kind Kind
	// Timestamp is in microseconds since 1970; Price is nil where it is null, else
	// its text. These and UserID are a row's.
	Timestamp int64
	Price     []byte
	UserID    int64
	// Raw, Length and Digest are those of a reject, or of what a correction
	// replaced; Digest is nil where Raw is the whole record.
	Raw    []byte
	Length int64
	Digest []byte
	// Corrected is the record that a correction put in its place.
	Corrected []byte
}

// Loaded is a source and what the tables say of it.
type Loaded struct {
	wire.Load
	// FirstLine is where its first batch begins, 0 while that is not stored.
	FirstLine int64
	Figures   Figures
}

// Figures are counts and aggregates over the rows of one source. The numbers
// are empty where SQL says null.
type Figures struct {
	Rows     int64        `json:"rows"`
	Rejected int64        `json:"rejected"`
	Count    int64        `json:"count"`
	Nulls    int64        `json:"nulls"`
	Sum      stats.Number `json:"sum"`
	Min      stats.Number `json:"min"`
	Max      stats.Number `json:"max"`
}

const selectFigures = `
SELECT count(*), count(price), sum(price)::text, min(price)::text, max(price)::text,
       (SELECT count(*) FROM rejects WHERE source_id = $1),
       (SELECT coalesce(min(first_line), 0) FROM batches WHERE source_id = $1 AND batch = 1)
  FROM prices WHERE source_id = $1`

// One statement, so that it is all of one moment and PostgreSQL does the
// sorting: neither side is ever held in memory.
const selectRecords = `
SELECT line, 1::smallint AS kind, NULL::timestamptz, NULL::text, NULL::bigint, raw, length, digest, corrected
  FROM corrections WHERE source_id = $1
 UNION ALL
SELECT line, 2::smallint, "timestamp", price::text, user_id,
       NULL AS raw, NULL AS length, NULL AS digest, NULL AS corrected
  FROM prices WHERE source_id = $1
 UNION ALL
SELECT line, 3::smallint, NULL AS "timestamp", NULL AS price, NULL AS user_id, raw, length, digest, NULL
  FROM rejects WHERE source_id = $1
 ORDER BY line, kind`

// Records calls compare with the source of that identity, or, where there is
// none, with the newest that stands under the name, and a function that gives
// its records in the order of their lines, nil after the last: all as of one
// moment. A source that is not there is an *UnknownSourceError.
func (s *Store) Records(ctx context.Context, identity, name string, compare func(*Loaded, func() (*Record, error)) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return s.read(ctx, func(tx pgx.Tx) error {
		id, loaded, err := findLoaded(ctx, tx, identity, name)
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, selectRecords, id)
		if err != nil {
			return fmt.Errorf("read the rows: %w", err)
		}
		defer rows.Close()
		var r Record
		err = compare(loaded, func() (*Record, error) {
			if !rows.Next() {
				return nil, rows.Err()
			}
			return &r, r.read(rows.RawValues())
		})
		if err != nil {
			cancel() // closing would read all the rows that are left
		}
		return err
	})
}

func findLoaded(ctx context.Context, tx pgx.Tx, identity, name string) (int32, *Loaded, error) {
	var loaded Loaded
	var id int32
	var err error
	id, loaded.Load, err = scanLoad(tx.QueryRow(ctx, `SELECT `+loadColumns+` FROM sources
		WHERE retired_at IS NULL AND (identity = $1 OR name = $2)
		ORDER BY identity = $1 DESC, source_id DESC LIMIT 1`, identity, name))
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil, &UnknownSourceError{Given: name}
	}
	if err != nil {
		return 0, nil, fmt.Errorf("look the source up: %w", err)
	}
	f := &loaded.Figures
	var sum, least, greatest *string
	err = tx.QueryRow(ctx, selectFigures, id).Scan(&f.Rows, &f.Count, &sum, &least, &greatest, &f.Rejected, &loaded.FirstLine)
	if err != nil {
		return 0, nil, fmt.Errorf("add the rows up: %w", err)
	}
	f.Nulls, f.Sum, f.Min, f.Max = f.Rows-f.Count, number(sum), number(least), number(greatest)
	return id, &loaded, nil
}

// read takes the values of selectRecords as they came: a Scan of each would be
// most of the time that a comparison takes.
func (r *Record) read(values [][]byte) error {
	if len(values) != 9 || len(values[0]) != 8 || len(values[1]) != 2 {
		return errors.New("PostgreSQL did not answer in its binary format")
	}
	*r = Record{
		Line:  int64(binary.BigEndian.Uint64(values[0])),
		Kind:  Kind(binary.BigEndian.Uint16(values[1])),
		Price: values[3], Raw: values[5], Digest: values[7], Corrected: values[8],
	}
	if len(values[2]) == 8 {
		r.Timestamp = int64(binary.BigEndian.Uint64(values[2])) + pgcopy.MicrosecondsTo2000
	}
	if len(values[4]) == 8 {
		r.UserID = int64(binary.BigEndian.Uint64(values[4]))
	}
	if len(values[6]) == 8 {
		r.Length = int64(binary.BigEndian.Uint64(values[6]))
	}
	return nil
}
