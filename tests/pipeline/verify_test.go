package pipeline

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/tests/harness"
)

// verified is what verify says in JSON, as far as tests look at it.
type verified struct {
	Same      bool     `json:"same"`
	Missing   int64    `json:"missing_batches"`
	Different int64    `json:"different_lines"`
	Differing []string `json:"differing_figures"`
	Lines     []struct {
		Line     int64  `json:"line"`
		What     string `json:"what"`
		File     string `json:"in_file"`
		Database string `json:"in_database"`
	} `json:"lines"`
	CorrectedLines []int64 `json:"corrected_lines"`
}

func verifyJSON(t *testing.T, env *harness.Env, code int, args ...string) verified {
	t.Helper()
	var v verified
	output := env.Consumer(t, append([]string{"verify", "--output", "json"}, args...)...).Exits(t, code).Stdout
	if err := json.Unmarshal([]byte(output), &v); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return v
}

// TestVerify: what was loaded is the same; each way to alter it is found, with
// its line.
func TestVerify(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.StartConsumer(t)
	const content = "\ufefftimestamp,price,user_id\r\n" +
		"1/1/2012,50.00,1\r\n" + // 2
		"1/2/2012,,2\r\n" + // 3
		"1/3/2012,fifty,3\r\n" + // 4 a reject
		"\r\n" + // 5 blank
		"1/4/2012,7.5,4\r\n" + // 6
		"\"1/5/2012\",1e3,5\r\n" + // 7
		"1/6/2012,-3,\xff\r\n" // 8 a reject
	path := env.File(t, "verified.csv", content)
	env.Producer(t, "--file", path, "--batch-size", "2", "--wait").Exits(t, 3)
	if v := verifyJSON(t, env, 0, path); !v.Same || v.Different != 0 {
		t.Errorf("as it was loaded: %+v", v)
	}
	bare := env.File(t, "bare.csv", "1/1/2012,5,1\n1/2/2012,6,2\n")
	env.Producer(t, "--file", bare, "--no-header", "--wait").Exits(t, 0)
	if v := verifyJSON(t, env, 0, bare); !v.Same {
		t.Errorf("without a header: %+v", v)
	}

	for _, c := range []struct {
		name, alter, restore string
		want                 string // line, what, in the file, in the database
	}{
		{
			"price", `UPDATE prices SET price = 7.50 WHERE line = 6 RETURNING line`,
			`UPDATE prices SET price = 7.5 WHERE line = 6 RETURNING line`, "6 price 7.5 7.50",
		},
		{
			"null", `UPDATE prices SET price = 0 WHERE line = 3 AND price IS NULL RETURNING line`,
			`UPDATE prices SET price = NULL WHERE line = 3 AND price = 0 RETURNING line`, "3 price null 0",
		},
		{
			"timestamp", `UPDATE prices SET "timestamp" = "timestamp" + interval '1 us' WHERE line = 7 RETURNING line`,
			`UPDATE prices SET "timestamp" = "timestamp" - interval '1 us' WHERE line = 7 RETURNING line`,
			"7 timestamp 2012-01-05T00:00:00Z 2012-01-05T00:00:00.000001Z",
		},
		{
			"user", `UPDATE prices SET user_id = -4 WHERE line = 6 RETURNING line`,
			`UPDATE prices SET user_id = 4 WHERE line = 6 RETURNING line`, "6 user_id 4 -4",
		},
		{
			"row gone", `DELETE FROM prices WHERE line = 6 RETURNING line`,
			`INSERT INTO prices SELECT source_id, 6, '2012-01-04 00:00Z', 7.5, 4 FROM sources WHERE name = 'verified.csv' RETURNING line`,
			"6 record a row not there",
		},
		{
			"row twice", `INSERT INTO prices SELECT * FROM prices WHERE line = 7 RETURNING line`,
			`DELETE FROM prices WHERE ctid = (SELECT max(ctid) FROM prices WHERE line = 7) RETURNING line`,
			"7 record once again: a row",
		},
		{
			"row from nowhere", `INSERT INTO prices SELECT source_id, 5, '2012-01-04 00:00Z', 7, 4 FROM sources WHERE name = 'verified.csv' RETURNING line`,
			`DELETE FROM prices WHERE line = 5 RETURNING line`, "5 record not there a row",
		},
		{
			"row behind the end", `INSERT INTO prices SELECT source_id, 99, '2012-01-04 00:00Z', 7, 4 FROM sources WHERE name = 'verified.csv' RETURNING line`,
			`DELETE FROM prices WHERE line = 99 RETURNING line`, "99 record not there a row",
		},
		{
			"reject's bytes", `UPDATE rejects SET raw = '1/3/2012,sixty,3' WHERE line = 4 RETURNING line`,
			`UPDATE rejects SET raw = '1/3/2012,fifty,3' WHERE line = 4 RETURNING line`,
			"4 rejected bytes 1/3/2012,fifty,3 1/3/2012,sixty,3",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if altered := env.Rows(t, c.alter); len(altered) != 1 {
				t.Fatalf("%d rows altered", len(altered))
			}
			v := verifyJSON(t, env, 4, path)
			env.Rows(t, c.restore)
			if v.Different != 1 || len(v.Lines) != 1 {
				t.Fatalf("%+v", v)
			}
			l := v.Lines[0]
			got := fmt.Sprint(l.Line, " ", l.What, " ", l.File, " ", l.Database)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("want (-), have (+):\n%s", diff)
			}
			if v := verifyJSON(t, env, 0, path); !v.Same {
				t.Errorf("as it was again: %+v", v)
			}
		})
	}

	t.Run("the file was edited", func(t *testing.T) {
		edited := env.File(t, "verified.csv", strings.Replace(content, "7.5", "8.5", 1))
		output := env.Consumer(t, "verify", edited).Exits(t, 4).Stdout
		contains(t, "standard output", output, "not what was loaded under its name")
		contains(t, "standard output", output, "6     price  8.5   7.5")
		contains(t, "standard output", output, "sum       1058.50")
	})
	t.Run("many lines", func(t *testing.T) {
		env.Rows(t, `UPDATE prices SET user_id = user_id + 100 WHERE line <> 5 RETURNING line`)
		output := env.Consumer(t, "verify", "--limit", "1", path).Exits(t, 4).Stdout
		env.Rows(t, `UPDATE prices SET user_id = user_id - 100 WHERE line <> 5 RETURNING line`)
		contains(t, "standard output", output, "2     user_id  1     101")
		contains(t, "standard output", output, "and 3 more lines")
	})
	t.Run("no lines named", func(t *testing.T) {
		env.Rows(t, `UPDATE prices SET user_id = 7 WHERE line = 2 RETURNING line`)
		output := env.Consumer(t, "verify", "--limit", "0", path).Exits(t, 4).Stdout
		env.Rows(t, `UPDATE prices SET user_id = 1 WHERE line = 2 RETURNING line`)
		contains(t, "standard output", output, "\n  lines that differ: 1\n")
	})
	t.Run("a name that is no UTF-8", func(t *testing.T) {
		named := env.File(t, "caf\xe9.csv", content+"1/1/2012,2,1\n")
		env.Producer(t, "--file", named, "--wait").Exits(t, 3)
		env.Consumer(t, "verify", named).Exits(t, 0)
		env.Consumer(t, "verify", env.File(t, "caf\xe9.csv", content+"1/1/2012,3,1\n")).Exits(t, 4)
	})
	t.Run("another label", func(t *testing.T) {
		result := env.Consumer(t, "verify", "--label", "other", path).Exits(t, 1)
		if want := "it is not loaded with the label \"other\""; strings.Count(result.Stderr, "\n") != 1 || !strings.Contains(result.Stderr, want) {
			t.Errorf("it is told %q", result.Stderr)
		}
	})
	t.Run("not loaded", func(t *testing.T) {
		result := env.Consumer(t, "verify", env.File(t, "never.csv", content+"1/1/2012,1,1\n"), path).Exits(t, 1)
		contains(t, "standard error", result.Stderr, `"never.csv" is not loaded. 'consumer loads' lists what is`)
		contains(t, "standard output", result.Stdout, "verified.csv  the same: 4 rows, 2 rejected")
	})
	t.Run("no file", func(t *testing.T) {
		contains(t, "standard error", env.Consumer(t, "verify", "nowhere.csv").Exits(t, 1).Stderr, "nowhere.csv: no such file. Check the path")
		contains(t, "standard error", env.Consumer(t, "verify", os.TempDir()).Exits(t, 1).Stderr, "it is a folder. Name the files in it")
		contains(t, "standard error", env.Consumer(t, "verify").Exits(t, 2).Stderr, "no file given. See 'consumer verify --help'")
	})
}

// TestVerifyCorrectedWithLineEnds: a correction is one record, whatever line end
// stands behind it in the list.
func TestVerifyCorrectedWithLineEnds(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.StartConsumer(t)
	path := env.File(t, "ends.csv", "timestamp,price,user_id\n1/1/2012,-0.00,1\n1/2/2012,two,2\n1/3/2012,three,3\n1/4/2012,four,4\n")
	env.Producer(t, "--file", path, "--wait").Exits(t, 3)
	list := env.File(t, "list.csv", "source,line,record\nends.csv,3,\"1/2/2012,2,2\n\"\nends.csv,4,\"1/3/2012,3,3\r\n\"\nends.csv,5,\"\n1/4/2012,4,4\n\n\"\n")
	contains(t, "standard error", env.Consumer(t, "rejects", "replay", list).Exits(t, 0).Stderr, "3 corrected")
	env.Consumer(t, "stats").Exits(t, 0)
	if v := verifyJSON(t, env, 0, path); !v.Same {
		t.Errorf("verify: %+v", v)
	}
}
