package demo

import (
	"context"
	"fmt"
	"math/big"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/streamgauge/streamgauge/shared/stats"
)

const queryTimeout = 10 * time.Second

// question is what anyone would ask who wants to check the statistics. As text
// the numbers keep all their digits.
const question = `SELECT count(*), count(price), avg(price), min(price), max(price) FROM prices`

const rowsLabel = "count(*)"

var labels = [5]string{rowsLabel, "count(price)", "avg(price)", "min(price)", "max(price)"}

// answer is the database's, in the order of labels; null is "".
type answer [5]string

func (d *demo) ask(ctx context.Context) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, d.databaseURL)
	if err != nil {
		return answer{}, err
	}
	defer conn.Close(ctx)
	// The simple protocol sends every value as PostgreSQL prints it.
	results, err := conn.PgConn().Exec(ctx, question).ReadAll()
	if err != nil {
		return answer{}, fmt.Errorf("%s: %w", question, err)
	}
	var a answer
	for i, value := range results[0].Rows[0] {
		a[i] = string(value)
	}
	return a, nil
}

// running is the same of the statistics.
func running(s stats.Snapshot) answer {
	return answer{
		strconv.FormatInt(s.Rows, 10), strconv.FormatInt(s.Count, 10),
		string(s.Mean), string(s.Min), string(s.Max),
	}
}

// count is a value that is a whole number.
func (a answer) count(label string) int64 {
	for i, l := range labels {
		if l == label {
			n, err := strconv.ParseInt(a[i], 10, 64)
			if err == nil {
				return n
			}
		}
	}
	return -1
}

// rows are the lines of a table of both answers.
func (a answer) rows(other answer) [][3]string {
	var out [][3]string
	for i, label := range labels {
		out = append(out, [3]string{label, a[i], other[i]})
	}
	return out
}

// equal compares as the promise says: minimum and maximum as numbers, the rest
// to the last digit.
func (a answer) equal(b answer) bool {
	for i, label := range labels {
		if a[i] == b[i] {
			continue
		}
		x, okX := new(big.Rat).SetString(a[i])
		y, okY := new(big.Rat).SetString(b[i])
		number := label == "min(price)" || label == "max(price)"
		if !number || !okX || !okY || x.Cmp(y) != 0 {
			return false
		}
	}
	return true
}

// compare shows the database's answer beside the running statistics.
func (d *demo) compare(database answer) error {
	d.screen.line("   " + question)
	d.screen.table([3]string{"", "database", "running statistics"}, database.rows(running(d.stats.last)))
	return d.agree(database)
}

func (d *demo) agree(database answer) error {
	if !database.equal(running(d.stats.last)) {
		return fmt.Errorf("%w: it answers %v, they say %v", ErrDisagree, database, running(d.stats.last))
	}
	d.screen.line("   The running statistics agree, to the last digit.")
	return nil
}
