package oracle

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/tests/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

// recorder is a test that keeps what it is told instead of failing.
type recorder struct {
	testing.TB

	errors []string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

// TestCheckFindsWhatIsWrong plants each thing that must not be, and wants to be
// told what and where.
func TestCheckFindsWhatIsWrong(t *testing.T) {
	env := harness.New(t)
	env.StartConsumer(t)
	path := filepath.Join(t.TempDir(), "two.csv")
	content := "timestamp,price,user_id\n1/10/2012,50,9009\n1/11/2012,,9008\n1/12/2012,seven,9007\n1/13/2012,60.50,9006\n"
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	env.Producer(t, "--file", path, "--batch-size", "2", "--wait").Exits(t, 3)
	sample := env.Sample(t, "2012-1.csv")
	env.Producer(t, "--file", sample, "--wait").Exits(t, 0)

	good := FromFile(t, env.File(t, "two.csv", strings.Replace(content, "1/12/2012,seven,9007\n", "", 1)), "")
	good.ID = ID([]byte(content), "")
	good.Records, good.Rejects, good.Raw = 4, []int64{4}, map[int64]string{4: "1/12/2012,seven,9007"}
	good.Rows[2].Line = 5
	loads := []Load{good, FromFile(t, sample, "")}
	Check(t, env, loads...) // nothing is wrong so far

	for name, c := range map[string]struct {
		plant, mend string
		want        []string
	}{
		"lost": {
			"DELETE FROM prices WHERE line = 2 AND user_id = 9009",
			"INSERT INTO prices (source_id, line, timestamp, price, user_id) SELECT source_id, 2, '2012-01-10Z', 50, 9009 FROM sources WHERE name = 'two.csv'",
			[]string{"two.csv:2: lost: 2012-01-10 00:00:00+00 50 9009", "stats.rows is 25, the table's is 24"},
		},
		"doubled": {
			"INSERT INTO prices SELECT * FROM prices WHERE line = 5 AND user_id = 9006 AND price = 60.50",
			"DELETE FROM prices WHERE ctid = (SELECT max(ctid) FROM prices WHERE line = 5 AND user_id = 9006 AND price = 60.50)",
			[]string{"two.csv:5: doubled: stored 2 times: 2012-01-13 00:00:00+00 60.50 9006", "stats.sum is"},
		},
		"altered scale": {
			"UPDATE prices SET price = 60.5 WHERE price = 60.50 AND user_id = 9006",
			"UPDATE prices SET price = 60.50 WHERE price = 60.5 AND user_id = 9006",
			[]string{"two.csv:5: altered: 2012-01-13 00:00:00+00 60.50 9006 is stored as 2012-01-13 00:00:00+00 60.5 9006"},
		},
		"under another line": {
			"UPDATE prices SET line = 50 WHERE price = 60.50",
			"UPDATE prices SET line = 5 WHERE price = 60.50",
			[]string{"two.csv:5: lost:", "two.csv:50: invented:"},
		},
		"null for a price": {
			"UPDATE prices SET price = NULL WHERE price = 60.50",
			"UPDATE prices SET price = 60.50 WHERE line = 5 AND user_id = 9006",
			[]string{"two.csv:5: altered:", "is stored as 2012-01-13 00:00:00+00 NULL 9006", "stats.count is"},
		},
		"row of no source": {
			"INSERT INTO prices (source_id, line, timestamp, price, user_id) VALUES (99, 2, '2012-01-10Z', 50, 9009)",
			"DELETE FROM prices WHERE source_id = 99",
			[]string{"source 99:2: invented: 2012-01-10 00:00:00+00 50 9009"},
		},
		"reject of no source": {
			"INSERT INTO rejects (source_id, batch, line, reason, raw, length) VALUES (99, 1, 2, 'x', 'x', 1)",
			"DELETE FROM rejects WHERE source_id = 99",
			[]string{"2 rejects of all sources, not 1"},
		},
		"reject lost": {
			"DELETE FROM rejects",
			"INSERT INTO rejects (source_id, batch, line, column_name, reason, raw, length) SELECT source_id, 2, 4, 'price', 'x', '1/12/2012,seven,9007', 20 FROM sources WHERE name = 'two.csv'",
			[]string{"two.csv: lines rejected: [], want [4]", "stats.rejected is 1, the table's is 0"},
		},
		"reject altered": {
			"UPDATE rejects SET raw = '1/12/2012,eight,9007'",
			"UPDATE rejects SET raw = '1/12/2012,seven,9007'",
			[]string{`two.csv:4: altered: the reject holds "1/12/2012,eight,9007", not "1/12/2012,seven,9007"`},
		},
		"ledger incomplete": {
			"CREATE TABLE kept AS SELECT * FROM batches; DELETE FROM batches WHERE batch = 2",
			"INSERT INTO batches SELECT * FROM kept ON CONFLICT DO NOTHING; DROP TABLE kept",
			[]string{"two.csv: 2 batches in all, 2 done, 1 in the ledger"},
		},
		"statistics": {
			"UPDATE stats SET sum = sum + 0.1",
			"UPDATE stats SET sum = sum - 0.1",
			[]string{"stats.sum is", "stats.mean is"},
		},
		"dead": {
			"INSERT INTO dead_batches (stream_sequence, stream_time, subject, headers, payload, reason) VALUES (1, now(), 'x', '', '', 'x')",
			"DELETE FROM dead_batches",
			[]string{"1 messages were set aside, none was planted", "stats.dead is 0, the table's is 1"},
		},
		"source": {
			"INSERT INTO sources (identity, name, claims_name, size, plan, batches) SELECT 'x', 'x', false, 1, plan, 1 FROM sources LIMIT 1",
			"DELETE FROM sources WHERE identity = 'x'",
			[]string{"3 sources, not 2"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			exec := func(statement string) {
				t.Helper()
				if _, err := env.DB.Exec(t.Context(), statement); err != nil {
					t.Fatal(err)
				}
			}
			exec(c.plant)
			told := &recorder{TB: t}
			Check(told, env, loads...)
			for _, want := range c.want {
				if !slices.ContainsFunc(told.errors, func(e string) bool { return strings.Contains(e, want) }) {
					t.Errorf("nothing says %q:\n%s", want, strings.Join(told.errors, "\n"))
				}
			}
			exec(c.mend)
			Check(t, env, loads...)
		})
	}
}

// TestFollowerFindsFallingRevisions: what was published, against what may be.
func TestFollowerFindsFallingRevisions(t *testing.T) {
	f := &Follower{messages: []Snapshot{{Revision: 1}, {Revision: 3}, {Revision: 2}}}
	told := &recorder{TB: t}
	f.CheckRising(told)
	if want := []string{"revision 2 came after 3"}; !slices.Equal(told.errors, want) {
		t.Errorf("told %q, want %q", told.errors, want)
	}
}

// TestFollowerFindsWrongFigures: messages that can't all be of what was committed.
func TestFollowerFindsWrongFigures(t *testing.T) {
	for name, c := range map[string]struct {
		heard []Snapshot
		bad   []string
		want  []string
	}{
		"right": {
			heard: []Snapshot{{Revision: 1, Rows: 5}, {Revision: 3, Rows: 9, Rejected: 1}, {Revision: 2, Rows: 9}, {Revision: 3, Rows: 9, Rejected: 1}},
		},
		"of two databases": {heard: []Snapshot{{Database: "a", Revision: 1, Rows: 5}, {Database: "b", Revision: 1}, {Database: "b", Revision: 2}}},
		"no snapshot":      {bad: []string{"x"}, want: []string{"not one line of JSON alone: x"}},
		"other figures":    {heard: []Snapshot{{Revision: 1, Sum: "5"}, {Revision: 2}, {Revision: 1, Sum: "6"}}, want: []string{"two messages of one revision"}},
		"fewer rows":       {heard: []Snapshot{{Revision: 2, Rows: 4}, {Revision: 1, Rows: 5}}, want: []string{"the higher one counts less"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := &Follower{messages: c.heard, bad: c.bad}
			told := &recorder{TB: t}
			f.CheckHeard(told)
			f.CheckGrows(told)
			if !slices.EqualFunc(told.errors, c.want, strings.Contains) {
				t.Errorf("told %q, want %q", told.errors, c.want)
			}
		})
	}
}

// TestWrongFiguresAreNotCommitted: what a transaction leaves counts, not what it
// has on the way.
func TestWrongFiguresAreNotCommitted(t *testing.T) {
	env := harness.New(t)
	env.Consumer(t, "migrate", "up").Exits(t, 0)
	CheckCommits(t, env)
	if _, err := env.DB.Exec(t.Context(), "BEGIN; UPDATE stats SET sum = 1; UPDATE stats SET sum = 0; COMMIT"); err != nil {
		t.Error(err)
	}
	_, err := env.DB.Exec(t.Context(), "UPDATE stats SET sum = 1")
	if want := "stats.sum is 1, the table's is 0 (SQLSTATE 23514)"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}
