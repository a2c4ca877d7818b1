package pipeline

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/streamgauge/streamgauge/sandbox/postgres"
	"github.com/streamgauge/streamgauge/shared/topology"
	"github.com/streamgauge/streamgauge/tests/harness"
	"github.com/streamgauge/streamgauge/tests/oracle"
)

// endsWithin is what a supervisor is promised after SIGTERM.
const endsWithin = 5 * time.Second

// endsInTime terminates a process and measures.
func endsInTime(t *testing.T, env *harness.Env, p *harness.Process) harness.Result {
	t.Helper()
	promise := env.Promised(t, endsWithin)
	p.Signal(t, syscall.SIGTERM)
	return promise.Ends(t, p).Exits(t, 0)
}

// TestTerminatedWhilePostgresIsFrozen: SIGTERM ends a consumer in 5 s also when
// PostgreSQL answers nothing and closes nothing, as a machine that hangs does.
func TestTerminatedWhilePostgresIsFrozen(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	server, err := postgres.Start(t.Context(), postgres.Config{Settings: map[string]string{"fsync": "off"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	consumer := env.Start(t, harness.Command{Program: "consumer", Env: []string{"DATABASE_URL=" + server.URL()}})
	consumer.WaitFor(t, "ready", soon)

	signalServer(t, server, syscall.SIGSTOP)
	t.Cleanup(func() { signalServer(t, server, syscall.SIGCONT) }) // before it is closed
	producer := env.StartProducer(t, "--file", env.Sample(t, "2012-1.csv"), "--batch-size", "2")
	waitForMessagesInHand(t, env)
	endsInTime(t, env, consumer)
	producer.Kill(t)
}

// signalServer signals the postmaster and its children, which a test's own
// server shares with nobody.
func signalServer(t *testing.T, server *postgres.Server, signal syscall.Signal) {
	t.Helper()
	// The postmaster comes first, so that it starts no others meanwhile: once it has
	// stopped, which is not when it has been told to.
	signalled := func(pid int) {
		// A session may end between the list and the signal.
		if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Errorf("send %s to %d: %v", signal, pid, err)
		}
	}
	signalled(server.PID())
	if signal == syscall.SIGSTOP {
		harness.Eventually(t, soon, "the postmaster has stopped", func() (bool, string) {
			state, _ := stateOf(server.PID())
			return state == "T", state
		})
	}
	for _, pid := range childrenOf(t, server.PID()) {
		signalled(pid)
	}
}

// stateOf is the state of a process and its parent, as proc(5) has them, both
// empty where it has ended.
func stateOf(pid int) (state, parent string) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", ""
	}
	// The name in parentheses may hold anything.
	_, rest, _ := strings.Cut(string(content), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 2 {
		return "", ""
	}
	return fields[0], fields[1]
}

func childrenOf(t *testing.T, parent int) []int {
	t.Helper()
	folders, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	var children []int
	for _, folder := range folders {
		pid, err := strconv.Atoi(filepath.Base(folder))
		if err != nil {
			t.Fatal(err)
		}
		if _, of := stateOf(pid); of == strconv.Itoa(parent) {
			children = append(children, pid)
		}
	}
	if len(children) == 0 {
		t.Fatalf("process %d has no children", parent)
	}
	return children
}

// waitForMessagesInHand waits until a consumer has taken some and not
// acknowledged them.
func waitForMessagesInHand(t *testing.T, env *harness.Env) {
	t.Helper()
	js := env.JetStream(t)
	harness.Eventually(t, soon, "messages are in hand", func() (bool, string) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		durable, err := js.Consumer(ctx, topology.StreamRows, topology.Durable)
		if err != nil {
			return false, err.Error()
		}
		return durable.CachedInfo().NumAckPending > 0, "none"
	})
}

// TestTerminatedBeforeItIsReady: a stop during the start is no failure, wherever
// the start has got to.
func TestTerminatedBeforeItIsReady(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.StartConsumer(t).Terminate(t).Exits(t, 0) // the schema

	stopped := func(t *testing.T, p *harness.Process) {
		t.Helper()
		result := endsInTime(t, env, p)
		if log := result.Stderr; strings.Contains(log, "level=ERROR") || strings.Contains(log, "consumer: ") || strings.Contains(log, "ready") {
			t.Errorf("a stop during the start shows:\n%s", log)
		}
	}
	t.Run("PostgreSQL does not answer", func(t *testing.T) {
		address, met := silentServer(t)
		p := env.Start(t, harness.Command{Program: "consumer", Env: []string{"DATABASE_URL=postgres://u@" + address + "/d?sslmode=disable"}})
		<-met
		stopped(t, p)
	})
	t.Run("NATS does not answer", func(t *testing.T) {
		address, met := silentServer(t)
		p := env.Start(t, harness.Command{Program: "consumer", Env: []string{"NATS_URL=nats://" + address}})
		<-met
		stopped(t, p)
	})
	t.Run("the schema is locked", func(t *testing.T) {
		other := connectAs(t, env, "somebody else")
		tx, err := other.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), "LOCK TABLE streamgauge_migrations IN ACCESS EXCLUSIVE MODE"); err != nil {
			t.Fatal(err)
		}
		p := env.Start(t, harness.Command{Program: "consumer"})
		harness.Eventually(t, soon, "the consumer waits for the lock", func() (bool, string) {
			waiting := env.Int(t, "SELECT count(*) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")
			return waiting > 0, "no"
		})
		stopped(t, p)
	})
}

// silentServer accepts one connection after the other and says nothing. met is
// closed when the first has come.
func silentServer(t *testing.T) (address string, met <-chan struct{}) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	first := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		var connections []net.Conn
		for {
			conn, err := listener.Accept()
			if err != nil {
				break
			}
			if connections = append(connections, conn); len(connections) == 1 {
				close(first)
			}
		}
		for _, conn := range connections {
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-ended
	})
	return listener.Addr().String(), first
}

// TestOneConsumerLosesPostgres: what it holds is left to another consumer,
// whose way to the database is open; and it takes part again afterwards.
func TestOneConsumerLosesPostgres(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	role := pgx.Identifier{env.Database + "_role"}.Sanitize()
	run := func(statement string) {
		t.Helper()
		if _, err := env.DB.Exec(context.WithoutCancel(t.Context()), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	run("CREATE ROLE " + role + " SUPERUSER LOGIN PASSWORD 'own'")
	t.Cleanup(func() { run("DROP ROLE " + role) })
	address, err := url.Parse(env.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	address.User = url.UserPassword(env.Database+"_role", "own")

	healthy := env.StartConsumer(t, "--batches-per-commit", "4")
	cutOff := env.Start(t, harness.Command{
		Program: "consumer", Args: []string{"--batches-per-commit", "4"},
		Env: []string{"DATABASE_URL=" + address.String()},
	})
	cutOff.WaitFor(t, "ready", soon)

	const rows = 40_000 // four times as many messages as one consumer holds
	path := generate(t, rows, 51)
	producer := env.StartProducer(t, "--file", path, "--batch-size", "20", "--wait")
	waitForRows(t, env, rows/20)
	run("ALTER ROLE " + role + " NOLOGIN")
	run(fmt.Sprintf("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '%s_role'", env.Database))
	began := time.Now()
	finishes(t, env, producer).Exits(t, 0)
	t.Logf("complete %s after the loss", time.Since(began))
	cutOff.WaitFor(t, "leaving the messages to other consumers", soon)
	oracle.Check(t, env, oracle.FromFile(t, path, ""))

	healthy.Terminate(t).Exits(t, 0)
	run("ALTER ROLE " + role + " LOGIN")
	other := env.Sample(t, "2012-1.csv")
	env.Producer(t, "--file", other, "--wait").Exits(t, 0)
	oracle.Check(t, env, oracle.FromFile(t, path, ""), oracle.FromFile(t, other, ""))
	cutOff.Terminate(t).Exits(t, 0)
}
