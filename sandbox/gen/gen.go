// Package gen makes sample CSV files: prices and users by day, always the same
// for the same seed, on every machine.
package gen

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"time"
)

const (
	header = "timestamp,price,user_id"

	minPrice, maxPrice = 10, 100 // whole numbers, both included
	users              = 10      // user ids are 1 … users
	emptyOneIn         = 32      // a power of two: one price in so many is empty on average

	// maxDays is the longest a file spans, a leap year. A file of more rows
	// has several a day, evenly spread, so that its dates stay plausible
	// however long it is.
	maxDays = 366

	chunk = 64 << 10 // bytes a write
)

// Config says what a file holds.
type Config struct {
	Rows  int64     // records below the header; 0 makes a header-only file
	Seed  uint64    // equal seeds give equal files
	Start time.Time // the first row's day; zero = 10 January 2012
}

// Validate reports the first setting that can't be used.
func (c Config) Validate() error {
	if c.Rows < 0 {
		return fmt.Errorf("rows must not be negative, got %d", c.Rows)
	}
	return nil
}

// Write streams a file to w: the header, and rows in order of their dates,
// which are month first without leading zeros. The last row has no line end.
// Memory does not depend on the number of rows. The context is looked at
// between writes of about 64 KiB.
func Write(ctx context.Context, w io.Writer, cfg Config) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	if cfg.Start.IsZero() {
		cfg.Start = time.Date(2012, time.January, 10, 0, 0, 0, 0, time.UTC)
	}
	days := min(cfg.Rows, maxDays)
	prices, ids := tables()
	// ChaCha8's output is specified, unlike what rand makes of it from version
	// to version, so the bits are used as they come.
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], cfg.Seed)
	random := rand.NewChaCha8(seed)

	buf := make([]byte, 0, chunk+64)
	buf = append(buf, header...)
	if cfg.Rows == 0 {
		buf = append(buf, '\n')
	}
	var row int64
	for day := range days {
		date := cfg.Start.AddDate(0, 0, int(day)).Format("1/2/2006")
		for end := lastOf(day, days, cfg.Rows); row < end; row++ {
			r := random.Uint64()
			price := 0
			if r>>16%emptyOneIn != 0 {
				price = 1 + int(r>>32*(maxPrice-minPrice+1)>>32)
			}
			// A line ends when the next begins: the last one has no end.
			buf = append(buf, '\n')
			buf = append(buf, date...)
			buf = append(buf, prices[price]...)
			buf = append(buf, ids[(r&0xffff)*users>>16]...)
			if len(buf) >= chunk {
				if err := ctx.Err(); err != nil {
					return err
				}
				if _, err := w.Write(buf); err != nil {
					return err
				}
				buf = buf[:0]
			}
		}
	}
	_, err := w.Write(buf)
	return err
}

// lastOf is the number of rows up to the end of a day, counted from 0.
// Multiplying by the day first would overflow for the largest files.
func lastOf(day, days, rows int64) int64 {
	return (day+1)*(rows/days) + (day+1)*(rows%days)/days
}

// tables are the texts of the columns after the first: prices with their
// commas, the empty one at 0, and user ids.
func tables() (prices, ids []string) {
	prices = append(prices, ",,")
	for p := minPrice; p <= maxPrice; p++ {
		prices = append(prices, ","+strconv.Itoa(p)+",")
	}
	for id := 1; id <= users; id++ {
		ids = append(ids, strconv.Itoa(id))
	}
	return prices, ids
}
