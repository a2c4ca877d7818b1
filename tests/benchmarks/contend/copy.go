package contend

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/streamgauge/streamgauge/tests/benchmarks/exact"
	"github.com/streamgauge/streamgauge/tests/benchmarks/proc"
	"github.com/streamgauge/streamgauge/tests/benchmarks/result"
	"github.com/streamgauge/streamgauge/tests/benchmarks/stage"
)

// table is where a COPY goes.
type table struct {
	name  string
	setup []string
}

// plainTable has the file's columns with the types of prices, and no index.
var plainTable = table{"plain", []string{
	`CREATE TABLE plain ("timestamp" timestamptz NOT NULL, price numeric, user_id bigint NOT NULL)`,
}}

// pricesTable is the product's own table with its indexes. Source and line come
// by default, the line from a sequence whose cache keeps it off the log and out
// of the way: what someone would do who wants the same rows from a COPY.
var pricesTable = table{"prices", []string{
	`CREATE SEQUENCE prices_line START 2 CACHE 10000`,
	`ALTER TABLE prices ALTER source_id SET DEFAULT 1, ALTER line SET DEFAULT nextval('prices_line')`,
}}

const textFormat = `("timestamp", price, user_id) FROM STDIN (FORMAT csv)`

func (t table) prepare(ctx context.Context, db *stage.Database) error {
	for _, statement := range t.setup {
		if _, err := db.Conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("prepare %s: %w", t.name, err)
		}
	}
	return nil
}

// copyText sends the file's own bytes, in one part for each connection. The
// connections stand when the clock starts, as the pair's do.
func copyText(key, title string, connections int, into table) Contender {
	return Contender{key, title, func(ctx context.Context, a *Arena) (result.Run, error) {
		run, _, err := a.copyText(ctx, connections, into, false)
		return run, err
	}}
}

// copyText also returns the course of the COPY if it is to be followed.
func (a *Arena) copyText(ctx context.Context, connections int, into table, followed bool) (result.Run, *course, error) {
	file, err := os.Open(a.File.Path)
	if err != nil {
		return result.Run{}, nil, err
	}
	defer file.Close()
	var parts []io.Reader
	for _, p := range a.File.Parts(connections) {
		parts = append(parts, io.NewSectionReader(file, p.From, p.To-p.From))
	}
	return a.copyParts(ctx, into, "COPY "+into.name+" "+textFormat, parts, followed)
}

// copyBinary sends rows that were encoded before: all that is left of loading
// is PostgreSQL's own work.
func copyBinary(key, title string) Contender {
	return Contender{key, title, func(ctx context.Context, a *Arena) (result.Run, error) {
		paths, err := a.binaryHalves(ctx)
		if err != nil {
			return result.Run{}, err
		}
		first, err := os.Open(paths[0])
		if err != nil {
			return result.Run{}, err
		}
		defer first.Close()
		second, err := os.Open(paths[1])
		if err != nil {
			return result.Run{}, err
		}
		defer second.Close()
		parts := []io.Reader{first, second}
		into := table{name: "prices"}
		run, _, err := a.copyParts(ctx, into, "COPY prices ("+binaryColumns+") FROM STDIN (FORMAT binary)", parts, false)
		return run, err
	}}
}

const binaryColumns = `source_id, line, "timestamp", user_id, price`

// binaryHalves encodes the file's rows for binary COPY, in two files, by having
// PostgreSQL write what was copied into it.
func (a *Arena) binaryHalves(ctx context.Context) (paths []string, err error) {
	if a.encoded != nil {
		return a.encoded, nil
	}
	db, err := a.Stage.Database(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := pricesTable.prepare(ctx, db); err != nil {
		return nil, err
	}
	file, err := os.Open(a.File.Path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	whole := io.NewSectionReader(file, a.File.Data, a.File.Size-a.File.Data)
	if _, err := db.Conn.PgConn().CopyFrom(ctx, whole, "COPY prices "+textFormat); err != nil {
		return nil, err
	}
	for i, condition := range []string{"<", ">="} {
		path := filepath.Join(a.Stage.Dir, fmt.Sprintf("prices-%d-of-2.bin", i+1))
		a.encoded = append(a.encoded, path)
		query := fmt.Sprintf("COPY (SELECT %s FROM prices WHERE line %s %d) TO STDOUT (FORMAT binary)", binaryColumns, condition, a.File.HalfLine)
		if err := export(ctx, db.Conn, query, path); err != nil {
			return nil, err
		}
	}
	return a.encoded, nil
}

func export(ctx context.Context, conn *pgx.Conn, query, path string) error {
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = conn.PgConn().CopyTo(ctx, out, query)
	return errors.Join(err, out.Sync(), out.Close())
}

// copyParts sends each part over a connection of its own.
func (a *Arena) copyParts(ctx context.Context, into table, statement string, parts []io.Reader, followed bool) (run result.Run, seen *course, err error) {
	db, err := a.Stage.Database(ctx)
	if err != nil {
		return run, nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := into.prepare(ctx, db); err != nil {
		return run, nil, err
	}
	conns := make([]*pgx.Conn, len(parts))
	defer func() {
		for _, conn := range conns {
			if conn != nil {
				_ = conn.Close(context.WithoutCancel(ctx)) // the database is dropped anyway
			}
		}
	}()
	for i := range parts {
		if conns[i], err = pgx.Connect(ctx, db.URL); err != nil {
			return run, nil, err
		}
	}
	m, err := newMeter(a.Stage)
	if err != nil {
		return run, nil, err
	}
	var following *copied
	if followed {
		following = followCopy(ctx, db, a.File.Sums.Rows)
	}
	began := time.Now()
	group, copying := errgroup.WithContext(ctx)
	for i, part := range parts {
		group.Go(func() error {
			_, err := conns[i].PgConn().CopyFrom(copying, part, statement)
			return err
		})
	}
	err = group.Wait()
	ended := time.Now()
	run.Rows, run.Seconds = a.File.Sums.Rows, ended.Sub(began).Seconds()
	if following != nil {
		var e error
		seen, e = following.finish(ended)
		err = errors.Join(err, e)
	}
	if _, e := m.stop(&run, true); err == nil {
		err = e
	}
	if err != nil {
		return run, nil, err
	}
	return run, seen, exact.Copied(ctx, db, into.name, a.File.Sums)
}

// psqlCopy is the command that people type, connecting included.
func psqlCopy(key, title string) Contender {
	return Contender{key, title, func(ctx context.Context, a *Arena) (run result.Run, err error) {
		psql := a.Stage.Psql()
		if psql == "" {
			return run, ErrMissing
		}
		db, err := a.Stage.Database(ctx)
		if err != nil {
			return run, err
		}
		defer func() { err = errors.Join(err, db.Close()) }()
		if err := plainTable.prepare(ctx, db); err != nil {
			return run, err
		}
		m, err := newMeter(a.Stage)
		if err != nil {
			return run, err
		}
		began := time.Now()
		p, err := proc.Start("psql", psql, nil, "--no-psqlrc", "--quiet", "--dbname", db.URL,
			"--command", `\copy plain FROM '`+a.File.Path+`' (FORMAT csv, HEADER)`)
		if err != nil {
			return run, err
		}
		m.watch.Add(result.Client, p.PID())
		err = p.Wait()
		run.Rows, run.Seconds = a.File.Sums.Rows, time.Since(began).Seconds()
		run.CPUSeconds = map[string]float64{result.Client: p.Used().Seconds()}
		if _, e := m.stop(&run, false); err == nil {
			err = e
		}
		if err != nil {
			return run, err
		}
		return run, exact.Copied(ctx, db, plainTable.name, a.File.Sums)
	}}
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
