package pipeline

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/tests/harness"
	"github.com/streamgauge/streamgauge/tests/oracle"
)

// TestDigits: the statistics are the table. Of prices of every size and scale, in
// many transactions, each revision's statistics are the table's to the last digit.
func TestDigits(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.StartConsumer(t, "--batches-per-commit", "1")
	oracle.CheckCommits(t, env)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	var loads []oracle.Load
	for i := range 12 {
		var content strings.Builder
		content.WriteString("timestamp,price,user_id")
		load := oracle.Load{Name: fmt.Sprintf("digits-%d.csv", i)}
		for line := int64(2); line < 2+1+random.Int64N(30); line++ {
			price := randomPrice(random, i)
			fmt.Fprintf(&content, "\n%d/1/2020,%s,%d", i%12+1, price, line)
			load.Rows = append(load.Rows, oracle.Row{
				Line: line, Time: time.Date(2020, time.Month(i%12+1), 1, 0, 0, 0, 0, time.UTC), Price: canonical(t, env, price), UserID: line,
			})
		}
		load.Records, load.ID = int64(len(load.Rows)), oracle.ID([]byte(content.String()), "")
		loads = append(loads, load)
		env.Producer(t, "--file", env.File(t, load.Name, content.String()), "--batch-size", "7", "--wait").Exits(t, 0)
		oracle.CheckTables(t, env, loads...)
	}
}

// randomPrice widens with each round: small whole numbers, cents, then anything
// a price may be.
func randomPrice(random *rand.Rand, round int) string {
	if random.IntN(10) == 0 {
		return ""
	}
	sign := []string{"", "", "-", "+"}[random.IntN(4)]
	digits := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteByte('0' + byte(random.IntN(10)))
		}
		return b.String()
	}
	switch {
	case round < 3:
		return sign + digits(1+random.IntN(3))
	case round < 6:
		return sign + digits(1+random.IntN(5)) + "." + digits(2)
	}
	whole := 1 + random.IntN(19)
	price := sign + digits(whole)
	if random.IntN(3) > 0 {
		price += "." + digits(1+random.IntN(19))
	}
	return price
}

// canonical is a price as PostgreSQL writes it.
func canonical(t *testing.T, env *harness.Env, price string) string {
	t.Helper()
	if price == "" {
		return ""
	}
	return env.Rows(t, "SELECT $1::text::numeric::text", price)[0][0]
}

// TestStdDevFunction holds the schema's function against stddev_samp itself.
func TestStdDevFunction(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.Consumer(t, "migrate", "up").Exits(t, 0)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for round := range 500 {
		values := make([]string, random.IntN(12))
		for i := range values {
			for values[i] == "" {
				values[i] = randomPrice(random, round%12)
			}
		}
		if round%7 == 0 && len(values) > 1 { // all alike
			for i := range values {
				values[i] = values[0]
			}
		}
		rows := env.Rows(t, `SELECT stats_stddev_samp(count(x), coalesce(sum(x), 0), coalesce(sum(x * x), 0))::text, stddev_samp(x)::text
			FROM unnest($1::numeric[]) AS t (x)`, values)
		if rows[0][0] != rows[0][1] {
			t.Errorf("of %v: %s, not %s", values, rows[0][0], rows[0][1])
		}
	}
}

// TestAnnouncements: what is published never goes back. A subscriber gets plain
// JSON lines that rise, a late one gets the last, and one is published again when
// the broker lost it.
func TestAnnouncements(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	consumer := env.StartConsumer(t, "--batches-per-commit", "1")
	follower := oracle.Follow(t, env)
	path := env.Sample(t, "2012-2.csv")
	env.Producer(t, "--file", path, "--batch-size", "1", "--wait").Exits(t, 0)
	last := follower.CheckLast(t, env)
	follower.CheckRising(t)
	if kept := len(follower.Kept()); kept < 29 {
		t.Errorf("29 transactions, %d snapshots", kept)
	}

	stream, err := env.JetStream(t).Stream(t.Context(), "STATS")
	if err != nil {
		t.Fatal(err)
	}
	keeps := func(what string) {
		env.Promised(t, 4*time.Second).Eventually(t, what, func() (bool, string) {
			msg, err := stream.GetLastMsgForSubject(t.Context(), "stats.price")
			if err != nil {
				return false, err.Error()
			}
			want := fmt.Sprintf(`"revision":%d,`, last.Revision)
			return strings.Contains(string(msg.Data), want), string(msg.Data)
		})
	}
	keeps("a late subscriber gets the last snapshot")
	if err := stream.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	keeps("the last snapshot is published again")

	// A crash between commit and publish, as a subscriber sees it: the database
	// is ahead of what was published.
	consumer.Kill(t)
	env.Rows(t, "UPDATE stats SET revision = revision + 5 RETURNING revision")
	last.Revision += 5
	env.StartConsumer(t)
	keeps("what was committed and not published is made up for")
}
