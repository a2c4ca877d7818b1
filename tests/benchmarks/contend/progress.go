package contend

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/streamgauge/streamgauge/tests/benchmarks/stage"
)

// progressEvery is how often a COPY is asked how far it is.
const progressEvery = 100 * time.Millisecond

// Moment is how far a load was at a time.
type Moment struct {
	At time.Time
	// Share of the rows, 0 to 1.
	Share float64
}

// copied follows a COPY by PostgreSQL's own count, not by what was sent, of
// which much may still lie in the buffers of the connection.
type copied struct {
	rows    int64
	began   time.Time
	moments []Moment
	err     error
	stop    context.CancelFunc
	done    chan struct{}
}

// followCopy follows the one COPY in a database, over its own connection,
// until stop is called.
func followCopy(ctx context.Context, db *stage.Database, rows int64) *copied {
	ctx, stop := context.WithCancel(ctx)
	c := &copied{rows: rows, began: time.Now(), stop: stop, done: make(chan struct{})}
	c.moments = append(c.moments, Moment{c.began, 0})
	go func() {
		defer close(c.done)
		ticker := time.NewTicker(progressEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				if err := c.look(db); err != nil {
					c.err = err
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return c
}

// look is not broken off by the end of the COPY, which would close the
// connection.
func (c *copied) look(db *stage.Database) error {
	var done int64
	err := db.Conn.QueryRow(context.Background(),
		"SELECT tuples_processed FROM pg_stat_progress_copy WHERE datname = current_database()").Scan(&done)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil // not begun, or committed
	}
	if err != nil {
		return err
	}
	last := c.moments[len(c.moments)-1]
	if share := float64(done) / float64(c.rows); share > last.Share && share < 1 {
		c.moments = append(c.moments, Moment{time.Now(), share})
	}
	return nil
}

// finish notes when all of it was committed.
func (c *copied) finish(at time.Time) (*course, error) {
	c.stop()
	<-c.done
	return &course{began: c.began, moments: append(c.moments, Moment{at, 1})}, c.err
}
