package metrics

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/streamgauge/streamgauge/sandbox/postgres"
	"github.com/streamgauge/streamgauge/shared/topology"
	"github.com/streamgauge/streamgauge/tests/harness"
)

// soon bounds what is promised to nobody, so that what hangs fails.
const soon = time.Minute

// TestFiguresAreTheDatabases: after a load with rejects, a message that is no
// batch, and batches that have no effect, the counters are what the database
// says.
func TestFiguresAreTheDatabases(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	consumer := startScraped(t, env)
	consumer.becomes(t, map[string]float64{
		"ready": 1, "dependency_up{dependency=\"nats\"}": 1, "dependency_up{dependency=\"postgresql\"}": 1, "stall_seconds": 0,
		"database_revision": 0, "database_rows": 0, "rows_stored_total": 0, "last_commit_timestamp_seconds": 0,
	})
	before := time.Now()

	rows := "timestamp,price,user_id\n1/1/2012,x,1\n1/1/2012,y,1\n"
	for i := range 3000 {
		rows += fmt.Sprintf("1/%d/2012,%d.25,%d\n", i%28+1, i, i)
	}
	path := env.File(t, "evil{}\"\n.csv", rows+"1/1/2012,,4\n")
	env.Producer(t, "--file", path, "--batch-size", "50", "--wait").Exits(t, 3)
	conn := env.Conn(t)
	for range 2 {
		if err := conn.PublishMsg(&nats.Msg{Subject: topology.SubjectRows, Data: []byte("evil")}); err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	// The producer asks what is loaded and sends nothing twice, unless nobody
	// answers: so the same batches are copied here, and others of a source that
	// was unloaded.
	other := env.Sample(t, "2012-1.csv")
	env.Producer(t, "--file", other, "--batch-size", "5", "--wait").Exits(t, 0)
	consumer.becomes(t, map[string]float64{"rows_stored_total": 3001 + 22, "records_rejected_total": 2, "dead_batches_total": 2, "database_dead_batches": 2})
	env.Consumer(t, "unload", "--yes", "2012-1.csv").Exits(t, 0)
	consumer.Terminate(t).Exits(t, 0)
	env.Producer(t, "--file", other, "--batch-size", "5").Exits(t, 0)  // retired
	env.Producer(t, "--file", path, "--batch-size", "50").Exits(t, 0)  // already stored
	env.Producer(t, "--file", path, "--batch-size", "500").Exits(t, 0) // superseded
	consumer = startScraped(t, env)
	consumer.becomes(t, map[string]float64{
		"batches_total{outcome=\"stored\"}": 0, "batches_total{outcome=\"already_stored\"}": 61, "batches_total{outcome=\"superseded\"}": 7,
		"batches_total{outcome=\"retired\"}": 5, "batches_total{outcome=\"refused\"}": 0, "rows_stored_total": 0,
		"stream_messages": 0, "stream_bytes": 0, "stream_oldest_message_age_seconds": 0, "messages_in_hand": 0, "messages_in_hand_bytes": 0,
		"stream_limit_bytes": 1 << 30,
	})

	again := strings.Replace(rows, "2012,0.25", "2012,0.5", 1)
	env.Producer(t, "--file", env.File(t, "evil{}\"\n.csv", again), "--wait").Exits(t, 1) // refused before it is sent
	env.Producer(t, "--file", env.File(t, "more.csv", again), "--batch-size", "50", "--wait").Exits(t, 3)
	after := time.Now()
	stored := env.Int(t, "SELECT count(*) FROM batches JOIN sources USING (source_id) WHERE name = 'more.csv'")
	want := map[string]float64{
		"batches_total{outcome=\"stored\"}":     float64(stored),
		"rows_stored_total":                     float64(env.Int(t, "SELECT count(*) FROM prices JOIN sources USING (source_id) WHERE name = 'more.csv'")),
		"records_rejected_total":                float64(env.Int(t, "SELECT count(*) FROM rejects JOIN sources USING (source_id) WHERE name = 'more.csv'")),
		"dead_batches_total":                    0,
		"database_rows":                         float64(env.Int(t, "SELECT count(*) FROM prices")),
		"database_prices":                       float64(env.Int(t, "SELECT count(price) FROM prices")),
		"database_rejected_records":             float64(env.Int(t, "SELECT count(*) FROM rejects")),
		"database_dead_batches":                 float64(env.Int(t, "SELECT count(*) FROM dead_batches")),
		"database_revision":                     float64(env.Int(t, "SELECT revision FROM stats")),
		"write_failures_total{class=\"retry\"}": 0, "write_failures_total{class=\"poison\"}": 0, "write_failures_total{class=\"fatal\"}": 0,
	}
	for name, column := range map[string]string{"price_mean": "avg(price)", "price_min": "min(price)", "price_max": "max(price)", "price_stddev": "stddev_samp(price)"} {
		f, err := strconv.ParseFloat(env.Rows(t, "SELECT "+column+" FROM prices")[0][0], 64)
		if err != nil {
			t.Fatal(err)
		}
		want[name] = f
	}
	if want["rows_stored_total"] != 3000 || want["records_rejected_total"] != 2 || want["database_dead_batches"] != 2 {
		t.Fatalf("the test is wrong: %v", want)
	}
	consumer.becomes(t, want)

	families := consumer.families(t)
	commits, _ := value(families, "commit_duration_seconds")
	if commits < 2 || commits > float64(stored)+61+7+5 {
		t.Errorf("%g commits", commits)
	}
	last, _ := value(families, "last_commit_timestamp_seconds")
	if at := time.Unix(0, int64(last*1e9)); at.Before(before) || at.After(after) {
		t.Errorf("the last commit was at %s, which is not between %s and %s", at, before, after)
	}
	if text := consumer.text(t); strings.Contains(text, "evil") || strings.Contains(text, "more.csv") {
		t.Errorf("user data in\n%s", text)
	}
	consumer.Terminate(t).Exits(t, 0)
}

// TestRedeliveries: messages that another consumer had in its hands when it was
// killed are counted by the one that gets them.
func TestRedeliveries(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	first := startScraped(t, env)
	first.WaitFor(t, "msg=ready", 2*time.Minute)
	tx, err := env.DB.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	if _, err := tx.Exec(t.Context(), "LOCK TABLE stats"); err != nil {
		t.Fatal(err)
	}
	env.Producer(t, "--file", env.Sample(t, "2012-1.csv"), "--batch-size", "2").Exits(t, 0)
	first.becomes(t, map[string]float64{"messages_in_hand": 11, "stream_messages": 11, "redeliveries_total": 0})
	if bytes, _ := value(first.families(t), "messages_in_hand_bytes"); bytes < 11*100 {
		t.Errorf("11 messages of %g bytes in hand", bytes)
	}
	first.Kill(t)
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	second := startScraped(t, env)
	second.becomes(t, map[string]float64{"redeliveries_total": 11, "rows_stored_total": 22, "stream_messages": 0})
}

// TestFailuresAreCounted: a lock that is not given up is a retry.
func TestFailuresAreCounted(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	consumer := startScraped(t, env)
	consumer.WaitFor(t, "msg=ready", 2*time.Minute)
	if _, err := env.DB.Exec(t.Context(), "ALTER TABLE prices RENAME TO away"); err != nil {
		t.Fatal(err)
	}
	env.Producer(t, "--file", env.Sample(t, "2012-1.csv")).Exits(t, 0)
	harness.Eventually(t, soon, "failures are counted", func() (bool, string) {
		n, _ := value(consumer.families(t), `write_failures_total{class="retry"}`)
		return n >= 2, fmt.Sprint(n)
	})
	consumer.becomes(t, map[string]float64{"ready": 0, "dependency_up{dependency=\"postgresql\"}": 1, "rows_stored_total": 0})
	if _, err := env.DB.Exec(t.Context(), "ALTER TABLE away RENAME TO prices"); err != nil {
		t.Fatal(err)
	}
	consumer.becomes(t, map[string]float64{"ready": 1, "rows_stored_total": 22})
}

// answersWithin is what a scrape may take whatever is out of order: less than a
// fifth of what Prometheus waits for by default.
const answersWithin = 2 * time.Second

func (s scraped) answersInTime(t *testing.T, env *harness.Env) {
	t.Helper()
	for range 3 {
		promise := env.Promised(t, answersWithin)
		text := s.text(t)
		promise.Kept(t, "a scrape was answered")
		if !strings.Contains(text, "\nstreamgauge_rows_stored_total ") {
			t.Errorf("counters are missing:\n%s", text)
		}
	}
}

// TestScrapeWithoutNATS: also while the server hangs with its sockets open.
func TestScrapeWithoutNATS(t *testing.T) {
	t.Parallel()
	env := harness.New(t, harness.WithOwnNATS())
	consumer := startScraped(t, env)
	env.Producer(t, "--file", env.Sample(t, "2012-1.csv"), "--wait").Exits(t, 0)
	consumer.becomes(t, map[string]float64{"ready": 1, "rows_stored_total": 22, "database_rows": 22, "stream_messages": 0})

	server := env.Server.Process()
	server.Signal(t, syscall.SIGSTOP)
	t.Cleanup(func() { server.Signal(t, syscall.SIGCONT) })
	consumer.answersInTime(t, env)
	down := map[string]float64{
		"ready": 0, "dependency_up{dependency=\"nats\"}": 0, "dependency_up{dependency=\"postgresql\"}": 1,
		"rows_stored_total": 22, "database_rows": 22, "price_min": 14, "stall_seconds": 0,
	}
	consumer.becomes(t, down)
	consumer.lacks(t, "stream_messages", "stream_bytes", "stream_oldest_message_age_seconds")
	env.Server.Kill(t)
	consumer.answersInTime(t, env)
	consumer.becomes(t, down)
	consumer.lacks(t, "stream_messages")
	env.Server.Start(t)
	consumer.becomes(t, map[string]float64{"ready": 1, "dependency_up{dependency=\"nats\"}": 1, "stream_messages": 0})
}

// TestScrapeWithoutPostgres: before the first connection, which ends the
// process, and later, when it waits for the server to come back.
func TestScrapeWithoutPostgres(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	server, err := postgres.Start(t.Context(), postgres.Config{Settings: map[string]string{"fsync": "off"}})
	if err != nil {
		t.Fatal(err)
	}
	consumer := startScraped(t, env, "DATABASE_URL="+server.URL())
	env.Producer(t, "--file", env.Sample(t, "2012-1.csv"), "--wait").Exits(t, 0)
	consumer.becomes(t, map[string]float64{"ready": 1, "rows_stored_total": 22, "dependency_up{dependency=\"postgresql\"}": 1})
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	consumer.answersInTime(t, env)
	env.Producer(t, "--file", env.Sample(t, "2012-2.csv"), "--batch-size", "29").Exits(t, 0)
	consumer.becomes(t, map[string]float64{
		"ready": 0, "dependency_up{dependency=\"postgresql\"}": 0, "dependency_up{dependency=\"nats\"}": 1,
		"rows_stored_total": 22, "database_rows": 22, "stream_messages": 1,
	})
	consumer.answersInTime(t, env)
}
