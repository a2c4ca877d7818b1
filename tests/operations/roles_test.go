package operations

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"

	"github.com/streamgauge/streamgauge/shared/topology"
	"github.com/streamgauge/streamgauge/tests/harness"
	"github.com/streamgauge/streamgauge/tests/oracle"
)

// roles are those of deploy/postgresql/roles.sql, under names of their own:
// roles belong to a whole server, which tests share.
type roles struct {
	env    *harness.Env
	prefix string
}

func createRoles(t *testing.T, env *harness.Env) roles {
	t.Helper()
	r := roles{env, env.Database}
	run := func(statement string) {
		t.Helper()
		if _, err := env.DB.Exec(context.WithoutCancel(t.Context()), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	script := shipped(t, env, "postgresql", "roles.sql")
	for _, who := range []string{"consumer", "reader", "operator"} {
		name := pgx.Identifier{r.name(who)}.Sanitize()
		script = strings.ReplaceAll(script, "streamgauge_"+who, name)
		t.Cleanup(func() {
			run("DROP OWNED BY " + name)
			run("DROP ROLE " + name)
		})
	}
	run(script)
	run(script) // as after an upgrade
	for _, who := range []string{"consumer", "reader", "operator"} {
		run("ALTER ROLE " + pgx.Identifier{r.name(who)}.Sanitize() + " PASSWORD 'own'")
	}
	return r
}

func (r roles) name(who string) string { return r.prefix + "_" + who }

// as is the environment of who works as one of the roles.
func (r roles) as(t *testing.T, who string) []string {
	t.Helper()
	address, err := url.Parse(r.env.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	address.User = url.UserPassword(r.name(who), "own")
	return []string{"DATABASE_URL=" + address.String()}
}

func (r roles) consumer(t *testing.T, who string, args ...string) harness.Result {
	t.Helper()
	return r.env.Run(t, harness.Command{Program: "consumer", Args: args, Env: r.as(t, who)})
}

// TestRoles: the rights that roles.sql grants are enough for each role's work,
// and no more than that.
func TestRoles(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	contains(t, "migrate up", env.Consumer(t, "migrate", "up").Exits(t, 0).Stdout, "up to date")
	r := createRoles(t, env)

	running := env.Start(t, harness.Command{Program: "consumer", Args: []string{"--http", "127.0.0.1:0"}, Env: r.as(t, "consumer")})
	running.WaitFor(t, "msg=ready", 2*time.Minute)
	sample := env.Sample(t, "2012-1.csv")
	env.Producer(t, "--file", sample, "--batch-size", "5", "--wait").Exits(t, 0)
	env.Producer(t, "--file", sample, "--batch-size", "5", "--wait").Exits(t, 0)
	oracle.CheckTables(t, env, oracle.FromFile(t, sample, ""))
	bad := env.File(t, "bad.csv", "timestamp,price,user_id\n1/1/2012,5,1\n1/2/2012,fifty,2\n")
	env.Producer(t, "--file", bad, "--wait").Exits(t, 3)
	conn := env.Conn(t)
	if err := conn.PublishMsg(&nats.Msg{Subject: topology.SubjectRows, Data: []byte("garbage")}); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, 20*time.Second, "the message is set aside", func() (bool, string) {
		return env.Int(t, "SELECT dead FROM stats") == 1, "not yet"
	})
	if log := running.Stderr(); strings.Contains(log, "permission denied") {
		t.Errorf("it lacks a right:\n%s", log)
	}
	contains(t, "doctor", r.consumer(t, "consumer", "doctor").Exits(t, 0).Stdout, "the role may store batches; to replay, unload and verify")
	for _, statement := range []string{"DELETE FROM prices", "TRUNCATE batches", "DROP TABLE stats", "SELECT FROM prices"} {
		denied(t, r, "consumer", statement)
	}

	for _, args := range [][]string{{"stats"}, {"loads"}, {"verify", sample}, {"rejects", "ls"}, {"dead", "ls"}, {"migrate", "status"}} {
		r.consumer(t, "reader", args...).Exits(t, 0)
		r.consumer(t, "operator", args...).Exits(t, 0)
	}
	denied(t, r, "reader", "UPDATE stats SET revision = 0")

	list := r.consumer(t, "operator", "rejects", "export", "bad.csv").Exits(t, 0).Stdout
	mended := env.File(t, "mended.csv", strings.Replace(list, "fifty", "50", 1))
	r.consumer(t, "operator", "rejects", "replay", mended).Exits(t, 0)
	r.consumer(t, "operator", "verify", bad).Exits(t, 0)
	r.consumer(t, "operator", "unload", "--yes", "bad.csv").Exits(t, 0)
	if n := env.Int(t, "SELECT rows FROM stats"); n != 22 {
		t.Errorf("%d rows after the unload", n)
	}
	running.Terminate(t).Exits(t, 0)
	other := env.Sample(t, "2012-2.csv")
	env.Producer(t, "--file", other).Exits(t, 0)
	id := setAside(t, env)
	r.consumer(t, "operator", "dead", "replay", id).Exits(t, 0)
	running = env.Start(t, harness.Command{Program: "consumer", Env: r.as(t, "consumer")})
	harness.Eventually(t, 20*time.Second, "the message is stored", func() (bool, string) {
		return env.Int(t, "SELECT rows FROM stats") == 22+29, "not yet"
	})
	running.Terminate(t).Exits(t, 0)
	r.consumer(t, "reader", "stats").Exits(t, 0)
}

// setAside moves the one message in the stream to where dead ones are, as a
// consumer does that can't decode it, and returns its id there.
func setAside(t *testing.T, env *harness.Env) string {
	t.Helper()
	stream, err := env.JetStream(t).Stream(t.Context(), topology.StreamRows)
	if err != nil {
		t.Fatal(err)
	}
	msg, err := stream.GetLastMsgForSubject(t.Context(), topology.SubjectRows)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	block := "NATS/1.0\r\n"
	for name, values := range msg.Header {
		block += name + ": " + values[0] + "\r\n"
	}
	env.Rows(t, "UPDATE stats SET dead = dead + 1 RETURNING dead")
	return env.Rows(t, `INSERT INTO dead_batches (stream_sequence, stream_time, subject, headers, payload, reason)
		VALUES ($1, $2, $3, $4, $5, 'too new') RETURNING dead_batch_id`,
		int64(msg.Sequence), msg.Time, msg.Subject, []byte(block+"\r\n"), msg.Data)[0][0]
}

func denied(t *testing.T, r roles, who, statement string) {
	t.Helper()
	_, address, _ := strings.Cut(r.as(t, who)[0], "=")
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if _, err := conn.Exec(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "SQLSTATE 42501") {
		t.Errorf("%s as %s: %v", statement, who, err)
	}
}

// TestDoctorNamesMissingRights: each right that a consumer is granted is looked
// for, and named when it is taken away.
func TestDoctorNamesMissingRights(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.Consumer(t, "migrate", "up").Exits(t, 0)
	r := createRoles(t, env)
	grants := env.Rows(t, `SELECT privilege_type, table_name FROM information_schema.role_table_grants
		WHERE grantee = $1 AND table_name <> 'streamgauge_migrations' ORDER BY 2, 1`, r.name("consumer"))
	if len(grants) < 10 {
		t.Fatalf("only %v are granted", grants)
	}
	name := pgx.Identifier{r.name("consumer")}.Sanitize()
	for _, grant := range grants {
		right := grant[0] + " ON " + grant[1]
		if _, err := env.DB.Exec(t.Context(), "REVOKE "+right+" FROM "+name); err != nil {
			t.Fatal(err)
		}
		output := r.consumer(t, "consumer", "doctor", "--output", "json").Exits(t, 1).Stdout
		if _, err := env.DB.Exec(t.Context(), "GRANT "+right+" TO "+name); err != nil {
			t.Fatal(err)
		}
		var problems []string
		for line := range strings.Lines(output) {
			var f struct {
				Level string `json:"level"`
				Text  string `json:"text"`
			}
			if err := json.Unmarshal([]byte(line), &f); err != nil {
				t.Fatal(err)
			}
			if f.Level == "problem" {
				problems = append(problems, f.Text)
			}
		}
		// Without SELECT on stats what they hold can't be told either.
		if diff := cmp.Diff("this role may not "+strings.ToLower(right), strings.Join(problems[:1], "")); diff != "" {
			t.Errorf("want -, got +\n%s", diff)
		}
	}
	r.consumer(t, "consumer", "doctor").Exits(t, 0)
}
