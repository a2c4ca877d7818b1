package pipeline

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/streamgauge/streamgauge/tests/harness"
	"github.com/streamgauge/streamgauge/tests/oracle"
)

// TestFrozenConsumer: no wedge. A consumer that stopped in the middle of its
// transaction holds the keys another one needs. That one frees itself of it
// within ten seconds. The frozen one is played by a session with its marks: a
// real one can't be stopped at the same point each time.
func TestFrozenConsumer(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	consumer := env.StartConsumer(t)
	path := env.Sample(t, "2012-4.csv")
	load := oracle.FromFile(t, path, "")

	begin(t, env, "streamgauge consumer", `INSERT INTO sources (identity, name, claims_name, size, plan, batches) VALUES ($1, 'held.csv', true, 1, '{}', 1)`, load.ID)
	producer := env.StartProducer(t, "--file", path, "--wait")
	promise := env.Promised(t, resumesWithin)
	consumer.WaitFor(t, "ended the session", soon)
	promise.Ends(t, producer).Exits(t, 0)
	oracle.Check(t, env, load)
}

// TestForeignTransaction: whoever else holds the keys is not ended, however
// long it takes; the consumer waits, and goes on when they are free.
func TestForeignTransaction(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	consumer := env.StartConsumer(t)
	path := env.Sample(t, "2012-4.csv")

	tx := begin(t, env, "somebody else", `LOCK TABLE stats IN ACCESS EXCLUSIVE MODE`)
	producer := env.StartProducer(t, "--file", path, "--wait")
	// One writer's complaints are five seconds apart: by the second one the foreign
	// transaction is old enough to be ended, were it a consumer's.
	harness.Eventually(t, soon, "two complaints", func() (bool, string) {
		complaints := strings.Count(consumer.Stderr(), "can't write to PostgreSQL")
		return complaints >= 2, fmt.Sprint(complaints)
	})
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatalf("the foreign transaction was ended: %v", err)
	}
	finishes(t, env, producer).Exits(t, 0)
	oracle.Check(t, env, oracle.FromFile(t, path, ""))
}

// TestSlowTransaction: a long transaction of our own, such as an unload, is not
// ended while its client goes on with it.
func TestSlowTransaction(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	consumer := env.StartConsumer(t)
	path := env.Sample(t, "2012-4.csv")

	tx := begin(t, env, "streamgauge consumer", "SELECT FROM stats FOR UPDATE")
	producer := env.StartProducer(t, "--file", path, "--wait")
	const goesOn = 5 * time.Second
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	var complained time.Time
	harness.Eventually(t, soon, "the consumer has waited for long", func() (bool, string) {
		// From the beginning: it is not to be idle for long while the producer starts.
		<-tick.C
		if _, err := tx.Exec(t.Context(), "SELECT FROM stats"); err != nil {
			t.Fatalf("it was ended: %v", err)
		}
		if complained.IsZero() && strings.Contains(consumer.Stderr(), "can't write to PostgreSQL, trying again") {
			complained = time.Now()
		}
		return !complained.IsZero() && time.Since(complained) > goesOn, "it has not"
	})
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatalf("it was ended: %v", err)
	}
	finishes(t, env, producer).Exits(t, 0)
	oracle.Check(t, env, oracle.FromFile(t, path, ""))
}

// begin begins a transaction in a session of that name, with a statement.
func begin(t *testing.T, env *harness.Env, application, statement string, args ...any) pgx.Tx {
	t.Helper()
	tx, err := connectAs(t, env, application).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
	return tx
}

func connectAs(t *testing.T, env *harness.Env, application string) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig(env.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	config.RuntimeParams["application_name"] = application
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}
