package pipeline

import (
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/tests/harness"
	"github.com/streamgauge/streamgauge/tests/oracle"
)

// TestErrors: every failure is one line with cause and remedy, and an exit code.
func TestErrors(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	sample := env.Sample(t, "2012-1.csv")
	wrong := func(address string) string {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.UserPassword(u.User.Username(), "not-the-password")
		return u.String()
	}
	env.StartConsumer(t).Terminate(t).Exits(t, 0) // the schema
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()

	for name, c := range map[string]struct {
		program string
		args    []string
		environ []string
		code    int
		wants   []string
	}{
		"producer: NATS unreachable": {
			"producer",
			[]string{"--file", sample},
			[]string{"NATS_URL=nats://127.0.0.1:9"},
			1,
			[]string{"cannot reach NATS at nats://127.0.0.1:9: connection refused", "NATS_URL"},
		},
		"consumer: NATS unreachable": {
			"consumer", nil,
			[]string{"NATS_URL=nats://127.0.0.1:9"},
			1,
			[]string{"cannot reach NATS at nats://127.0.0.1:9: connection refused", "NATS_URL"},
		},
		"producer: wrong NATS password": {
			"producer",
			[]string{"--file", sample},
			[]string{"NATS_URL=" + wrong(env.NATSURL)},
			1,
			[]string{"user or password refused"},
		},
		"consumer: PostgreSQL unreachable": {
			"consumer", nil,
			[]string{"DATABASE_URL=postgres://postgres:secret@127.0.0.1:9/x"},
			1,
			[]string{"cannot reach PostgreSQL at postgres://postgres@127.0.0.1:9/x: connection refused", "DATABASE_URL"},
		},
		"consumer stats: PostgreSQL unreachable": {
			"consumer",
			[]string{"stats"},
			[]string{"DATABASE_URL=postgres://127.0.0.1:9/x"},
			1,
			[]string{"connection refused", "DATABASE_URL"},
		},
		"consumer: wrong PostgreSQL password": {
			"consumer", nil,
			[]string{"DATABASE_URL=" + wrong(env.DatabaseURL)},
			1,
			[]string{"password authentication failed", "PGPASSWORD"},
		},
		"producer: missing file": {
			"producer",
			[]string{"--file", "no-such-file.csv"},
			nil, 1,
			[]string{"no-such-file.csv"},
		},
		"producer: missing column": {
			"producer",
			[]string{"--file", env.File(t, "c.csv", "timestamp,precio,user_id\n1/1/2012,5,1\n")},
			nil, 1,
			[]string{"price", "precio", "user_id", "--map"},
		},
		"producer: other delimiter": {
			"producer",
			[]string{"--file", env.File(t, "d.csv", "timestamp;price;user_id\n1/1/2012;5;1\n")},
			nil, 1,
			[]string{"--delimiter"},
		},
		"consumer: address in use": {
			"consumer",
			[]string{"--http", taken.Addr().String()},
			nil, 1,
			[]string{"cannot listen on " + taken.Addr().String() + ": the address is in use. Stop what listens there"},
		},
		"consumer: bad address":    {"consumer", []string{"--http", "8080"}, nil, 2, []string{"HOST:PORT"}},
		"producer: unknown flag":   {"producer", []string{"--fiel", sample}, nil, 2, []string{"fiel"}},
		"producer: no file":        {"producer", nil, nil, 2, []string{"no file given"}},
		"producer: bad batch size": {"producer", []string{"--file", sample, "--batch-size", "0"}, nil, 2, []string{"batch"}},
		"consumer: unknown flag":   {"consumer", []string{"--bogus"}, nil, 2, []string{"bogus"}},
		"consumer: bad merge":      {"consumer", []string{"--batches-per-commit", "0"}, nil, 2, []string{"--batches-per-commit"}},
	} {
		t.Run(name, func(t *testing.T) {
			result := env.Run(t, harness.Command{Program: c.program, Args: c.args, Env: c.environ, Limit: soon}).Exits(t, c.code)
			last := lastLine(result.Stderr)
			for _, want := range c.wants {
				contains(t, "the last line", last, want)
			}
			for _, secret := range []string{"not-the-password", "secret"} {
				if strings.Contains(result.Stdout+result.Stderr, secret) {
					t.Errorf("the password is shown:\n%s", result.Stderr)
				}
			}
		})
	}
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// TestOlderSchema: --migrate=false only checks.
func TestOlderSchema(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	result := env.Consumer(t, "--migrate=false").Exits(t, 1)
	contains(t, "standard error", result.Stderr, "consumer migrate up")
	if n := env.Int(t, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"); n != 0 {
		t.Errorf("the check made %d tables", n)
	}
	contains(t, "status", env.Consumer(t, "migrate", "status").Exits(t, 0).Stdout, "missing")
	env.Consumer(t, "migrate", "up").Exits(t, 0)
	contains(t, "status", env.Consumer(t, "migrate", "status").Exits(t, 0).Stdout, "applied")
	env.StartConsumer(t, "--migrate=false")
}

// TestFullStream: a full broker slows the producer, which says so;
// it is no error and nothing is dropped.
func TestFullStream(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	path := generate(t, manyRows, 41)
	producer := env.StartProducer(t, "--file", path, "--batch-size", "100", "--max-bytes", "1048576", "--wait")
	producer.WaitFor(t, "full", soon)
	env.StartConsumer(t)
	producer.Wait(t).Exits(t, 0)
	oracle.Check(t, env, oracle.FromFile(t, path, ""))
}

// TestDryRun sends nothing and needs no server.
func TestDryRun(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	nowhere := []string{"NATS_URL=nats://127.0.0.1:9"}
	run := func(args ...string) harness.Result {
		return env.Run(t, harness.Command{Program: "producer", Args: append(args, "--dry-run"), Env: nowhere, Limit: soon})
	}
	contains(t, "standard output", run("--file", env.Sample(t, "2012-1.csv")).Exits(t, 0).Stdout, "22")
	bad := run("--file", env.File(t, "bad.csv", "timestamp,price,user_id\n1/1/2012,x,1\n1/2/2012,2,2\n")).Exits(t, 3)
	contains(t, "the output", bad.Stdout+bad.Stderr, "bad.csv:2")
	folder := filepath.Dir(env.Sample(t, "2012-1.csv"))
	all := run("--file", folder, "--exclude", "validation.csv").Exits(t, 0).Stdout
	if lines := strings.Count(all, "2012-"); lines < 5 || strings.Contains(all, "validation.csv") {
		t.Errorf("a folder but for one file:\n%s", all)
	}
}
