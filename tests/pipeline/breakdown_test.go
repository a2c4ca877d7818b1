package pipeline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/shared/topology"
	"github.com/streamgauge/streamgauge/tests/harness"
	"github.com/streamgauge/streamgauge/tests/oracle"
)

// group is a line of 'consumer stats --by … --output json', and of the subjects
// below stats.price.
type group struct {
	By       string       `json:"by"`
	Key      string       `json:"key"`
	Name     string       `json:"name"`
	Revision int64        `json:"revision"`
	Rows     int64        `json:"rows"`
	Count    int64        `json:"count"`
	Nulls    int64        `json:"nulls"`
	Sum      *json.Number `json:"sum"`
	Mean     *json.Number `json:"mean"`
	Min      *json.Number `json:"min"`
	Max      *json.Number `json:"max"`
	StdDev   *json.Number `json:"stddev"`
	P50      *json.Number `json:"p50"`
	P95      *json.Number `json:"p95"`
	P99      *json.Number `json:"p99"`
}

func figure(n *json.Number) string {
	if n == nil {
		return ""
	}
	return n.String()
}

func groups(t *testing.T, lines string) map[string]group {
	t.Helper()
	found := make(map[string]group)
	for line := range strings.Lines(lines) {
		var g group
		decoder := json.NewDecoder(strings.NewReader(line))
		decoder.UseNumber()
		if err := decoder.Decode(&g); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		found[g.Key] = g
	}
	return found
}

// keys are what the rows of prices are grouped by, in SQL.
var keys = map[string]string{
	"source": "(SELECT identity FROM sources s WHERE s.source_id = prices.source_id)",
	"day":    `to_char("timestamp" AT TIME ZONE 'UTC', 'YYYY-MM-DD')`,
	"month":  `to_char("timestamp" AT TIME ZONE 'UTC', 'YYYY-MM')`,
	"user":   "user_id::text",
}

// everyPrice has prices of every size on days in no order, from several users.
func everyPrice(t *testing.T, env *harness.Env, name string, random *rand.Rand, rows int) string {
	t.Helper()
	var content strings.Builder
	content.WriteString("timestamp,price,user_id\n")
	for range rows {
		at := time.Date(2019, 12, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(random.Int64N(int64(90 * 24 * time.Hour))))
		fmt.Fprintf(&content, "%s,%s,%d\n", at.Format(time.RFC3339), randomPrice(random, random.IntN(12)), random.IntN(5))
	}
	return env.File(t, name, content.String())
}

// TestBreakdown: the statistics of each source, day, month and user are those of
// a SELECT with GROUP BY, to the last digit, and their quantiles within 1 % of
// the price at the rank.
func TestBreakdown(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	env.StartConsumer(t, "--batches-per-commit", "3")
	for i := range 3 {
		path := everyPrice(t, env, fmt.Sprintf("every-%d.csv", i), random, 400)
		env.Producer(t, "--file", path, "--batch-size", "7", "--wait").Exits(t, 0)
	}
	env.Producer(t, "--file", env.Sample(t, "2012-1.csv"), "--wait").Exits(t, 0)
	for by, key := range keys {
		got := groups(t, env.Consumer(t, "stats", "--by", by, "--output", "json").Exits(t, 0).Stdout)
		want := env.Rows(t, `SELECT `+key+` AS key, count(*)::text, count(price)::text, (count(*) - count(price))::text, coalesce(sum(price)::text, ''),
				coalesce(avg(price)::text, ''), coalesce(stddev_samp(price)::text, '') FROM prices GROUP BY key`)
		if len(got) != len(want) || len(want) < 4 {
			t.Errorf("%d groups by %s, the table has %d", len(got), by, len(want))
		}
		for _, row := range want {
			g := got[row[0]]
			have := []string{g.Key, fmt.Sprint(g.Rows), fmt.Sprint(g.Count), fmt.Sprint(g.Nulls), figure(g.Sum), figure(g.Mean), figure(g.StdDev)}
			if diff := cmp.Diff(row, have); diff != "" {
				t.Errorf("by %s: SELECT -, stats + %s", by, diff)
			}
			checkPercentiles(t, env, "by "+by, key, g)
			for _, bounds := range env.Rows(t, `SELECT coalesce(min(price)::text, ''), coalesce(max(price)::text, '') FROM prices WHERE `+key+` = $1
				HAVING min(price) IS DISTINCT FROM nullif($2, '')::numeric OR max(price) IS DISTINCT FROM nullif($3, '')::numeric`,
				g.Key, figure(g.Min), figure(g.Max)) {
				t.Errorf("by %s %s: from %s to %s, the table's %v", by, g.Key, figure(g.Min), figure(g.Max), bounds)
			}
		}
	}
	comparison := env.Consumer(t, "stats").Exits(t, 0)
	contains(t, "the comparison", comparison.Stdout, "by source  4 of 4 agree")
	reply, err := env.Conn(t).Request(topology.SubjectSnapshot, nil, soon)
	if err != nil {
		t.Fatal(err)
	}
	for _, all := range groups(t, string(reply.Data)+"\n") {
		checkPercentiles(t, env, "of all", "''", all)
	}
}

// checkPercentiles holds g's against the prices of the rows whose key is g's:
// PostgreSQL says what is wrong, with its own arithmetic.
func checkPercentiles(t *testing.T, env *harness.Env, by, key string, g group) {
	t.Helper()
	for _, off := range env.Rows(t, `
		WITH these AS (SELECT price, row_number() OVER (ORDER BY price) AS rank FROM prices WHERE price IS NOT NULL AND `+key+` = $1),
		     claims (percent, claimed) AS (VALUES (50, $2::text), (95, $3), (99, $4))
		SELECT percent::text, claimed, coalesce(price::text, '') FROM claims LEFT JOIN these ON rank = (percent * $5::bigint + 99) / 100
		 WHERE (claimed = '') <> (price IS NULL) OR abs(nullif(claimed, '')::numeric - price) > abs(price) / 100`,
		g.Key, figure(g.P50), figure(g.P95), figure(g.P99), g.Count) {
		t.Errorf("%s %s: the percentile %s is %s, the price at its rank %s", by, g.Key, off[0], off[1], off[2])
	}
}

// TestBreakdownAsText: what people read, in 80 columns.
func TestBreakdownAsText(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.StartConsumer(t)
	golden(t, "nothing", env.Consumer(t, "stats", "--by", "day").Exits(t, 0).Stdout, "no rows\n")
	for _, name := range []string{"2012-1.csv", "2012-2.csv", "validation.csv"} {
		env.Producer(t, "--file", env.Sample(t, name), "--batch-size", "5", "--wait").Exits(t, 0)
	}
	for by, want := range map[string]string{
		"source": `
source             rows  nulls   mean stddev    min    p50    p95    p99    max
2012-1.csv           22      2   54.9  21.54     14   54.5   83.5     90     90
2012-2.csv           29      0 56.207  27.74     14  48.25     96     96     96
validation.csv        8      1 34.857 19.752     14  33.25     66     66     66
`,
		"month": `
month              rows  nulls   mean stddev    min    p50    p95    p99    max
2012-01              22      2   54.9  21.54     14   54.5   83.5     90     90
2012-02              29      0 56.207  27.74     14  48.25     96     96     96
2012-06               8      1 34.857 19.752     14  33.25     66     66     66
`,
	} {
		result := env.Consumer(t, "stats", "--by", by).Exits(t, 0)
		golden(t, by, result.Stdout, want)
		narrow(t, by, result.Stdout)
		if result.Stderr != "" {
			t.Errorf("standard error by %s: %s", by, result.Stderr)
		}
	}
	user := env.Consumer(t, "stats", "--by", "user").Exits(t, 0)
	narrow(t, "user", user.Stdout)
	golden(t, "standard error", user.Stderr, "consumer: no statistics are kept by user: reading all rows\n")
	contains(t, "standard error", env.Consumer(t, "stats", "--by", "week").Exits(t, 2).Stderr, `can't be "week": it is source, day, month or user`)
	contains(t, "standard error", env.Consumer(t, "stats", "--by", "day", "--watch").Exits(t, 2).Stderr, `nats sub --raw "stats.price.day.*"`)
}

// TestComparisonNamesGroups: what was altered beside the consumer is found, by
// source and by day too.
func TestComparisonNamesGroups(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.StartConsumer(t)
	env.Producer(t, "--file", env.Sample(t, "2012-1.csv"), "--wait").Exits(t, 0)
	for _, test := range []struct{ alter, back, says string }{
		{
			"UPDATE stats_by_day SET sum = sum + 1 WHERE day = '2012-01-11'", "UPDATE stats_by_day SET sum = sum - 1 WHERE day = '2012-01-11'",
			"day 2012-01-11 (sum, mean).",
		},
		{
			"UPDATE stats_by_source SET buckets = set_byte(buckets, 9, get_byte(buckets, 9) + 1)", "UPDATE stats_by_source SET buckets = set_byte(buckets, 9, get_byte(buckets, 9) - 1)",
			"source 2012-1.csv (buckets).",
		},
		{
			"INSERT INTO stats_by_day (day, revision, rows, count, sum, sum_squares, buckets) VALUES ('1999-12-31', 1, 1, 0, 0, 0, '')", "DELETE FROM stats_by_day WHERE day = '1999-12-31'",
			"day 1999-12-31 (rows, count, sum, buckets).",
		},
		{
			"UPDATE stats SET buckets = set_byte(buckets, 9, get_byte(buckets, 9) + 100)", "UPDATE stats SET buckets = set_byte(buckets, 9, get_byte(buckets, 9) - 100)",
			"They do not agree: p50, p95, p99, buckets.",
		},
	} {
		env.Rows(t, test.alter+" RETURNING 'altered'")
		contains(t, "the comparison", env.Consumer(t, "stats").Exits(t, 4).Stdout, test.says)
		env.Rows(t, test.back+" RETURNING 'as it was'")
		env.Consumer(t, "stats").Exits(t, 0)
	}
}

// TestGroupSubjects: the statistics of sources and days are published below
// stats.price, stay there for who comes late, and follow what is taken back.
func TestGroupSubjects(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.StartConsumer(t, "--batches-per-commit", "1")
	for _, name := range []string{"2012-1.csv", "2012-2.csv"} {
		env.Producer(t, "--file", env.Sample(t, name), "--batch-size", "5", "--label", "v1.2", "--wait").Exits(t, 0)
	}
	stream, err := env.JetStream(t).Stream(t.Context(), "STATS")
	if err != nil {
		t.Fatal(err)
	}
	keeps := func(what string, empty int) {
		env.Promised(t, 20*time.Second).Eventually(t, what, func() (bool, string) {
			var lines bytes.Buffer
			for _, by := range []string{"source", "day"} {
				for key := range groups(t, env.Consumer(t, "stats", "--by", by, "--output", "json").Exits(t, 0).Stdout) {
					subject := "stats.price." + by + "." + strings.ReplaceAll(key, ".", "%2E")
					msg, err := stream.GetLastMsgForSubject(t.Context(), subject)
					if err != nil {
						return false, subject + ": " + err.Error()
					}
					lines.Write(append(msg.Data, '\n'))
				}
			}
			var want strings.Builder
			for _, by := range []string{"source", "day"} {
				want.WriteString(env.Consumer(t, "stats", "--by", by, "--output", "json").Exits(t, 0).Stdout)
			}
			if diff := cmp.Diff(groups(t, want.String()), groups(t, lines.String())); diff != "" {
				return false, diff
			}
			info, err := stream.Info(t.Context())
			if err != nil {
				return false, err.Error()
			}
			subjects := len(groups(t, want.String())) + empty + 1
			return info.State.NumSubjects == uint64(subjects), fmt.Sprintf("%d subjects, not %d", info.State.NumSubjects, subjects)
		})
	}
	keeps("each source and day is published", 0)

	env.Consumer(t, "unload", "2012-2.csv", "--yes").Exits(t, 0)
	keeps("what is left is published", 1+29)
	env.Promised(t, 20*time.Second).Eventually(t, "a day that was taken back is published empty", func() (bool, string) {
		msg, err := stream.GetLastMsgForSubject(t.Context(), "stats.price.day.2012-02-10")
		if err != nil {
			return false, err.Error()
		}
		return strings.Contains(string(msg.Data), `"rows":0,"count":0,"nulls":0,"sum":null,"mean":null`), string(msg.Data)
	})
	if err := stream.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	keeps("what the stream has lost is published again", 1+29)
}

// TestDistributionsAreBuiltForExistingRows: the migration counts what was loaded
// before it, and a consumer of before it can write no more.
func TestDistributionsAreBuiltForExistingRows(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	consumer := env.StartConsumer(t)
	path := everyPrice(t, env, "every.csv", rand.New(rand.NewPCG(seed, 0)), 500)
	env.Producer(t, "--file", path, "--wait").Exits(t, 0)
	months := []string{"2012-1.csv", "2012-2.csv"}
	for _, name := range months {
		env.Producer(t, "--file", env.Sample(t, name), "--wait").Exits(t, 0)
	}
	consumer.Terminate(t).Exits(t, 0)
	before := env.Rows(t, "SELECT encode(buckets, 'hex') FROM stats")

	text, err := os.ReadFile(filepath.Join(env.Root(), "migrations", "sql", "0004_distributions.sql"))
	if err != nil {
		t.Fatal(err)
	}
	up, down, found := strings.Cut(string(text), "-- +goose Down")
	if !found {
		t.Fatal("the migration has no way down")
	}
	for _, statements := range []string{down, up} {
		if _, err := env.DB.Exec(t.Context(), statements); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(before, env.Rows(t, "SELECT encode(buckets, 'hex') FROM stats")); diff != "" {
		t.Error("by the consumer -, by the migration +", diff)
	}
	comparison := env.Consumer(t, "stats").Exits(t, 0)
	contains(t, "the comparison", comparison.Stdout, "They agree.")
	for what, set := range map[string]string{"prices": "rows = rows + 1, count = count + 1", "rows without a price": "rows = rows + 1"} {
		_, err = env.DB.Exec(t.Context(), "UPDATE stats SET revision = revision + 1, "+set)
		if err == nil || !strings.Contains(err.Error(), "stats_counted_in_groups") {
			t.Errorf("a consumer that does not count %s by source and day meets %v", what, err)
		}
	}
	env.StartConsumer(t)
	env.Consumer(t, "unload", "every.csv", "--yes").Exits(t, 0)
	oracle.Check(t, env, oracle.FromFile(t, env.Sample(t, months[0]), ""), oracle.FromFile(t, env.Sample(t, months[1]), ""))
}

// TestStatsOfTheFirstAndLastDays: a zone brings the ends of the calendar into the
// years before and after, which are days and months of their own.
func TestStatsOfTheFirstAndLastDays(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.StartConsumer(t)
	env.Producer(t, "--file", env.File(t, "years.csv", "timestamp,price,user_id\n0001-01-01T00:00:00+14:00,1,1\n"+
		"0001-12-31T00:00:00Z,2,1\n9999-12-31T23:59:59-14:00,3,3\n"), "--wait").Exits(t, 0)
	for by, want := range map[string][]string{
		"day":   {"0000-12-31", "0001-12-31", "10000-01-01"},
		"month": {"0000-12", "0001-12", "10000-01"},
	} {
		var keys []string
		for _, line := range strings.Split(strings.TrimSpace(env.Consumer(t, "stats", "--by", by).Exits(t, 0).Stdout), "\n")[1:] {
			keys = append(keys, strings.Fields(line)[0])
		}
		if diff := cmp.Diff(want, keys); diff != "" {
			t.Errorf("by %s (-want +got):\n%s", by, diff)
		}
	}
	contains(t, "the comparison", env.Consumer(t, "stats").Exits(t, 0).Stdout, "by day     3 of 3 agree")
}
