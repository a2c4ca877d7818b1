package terminal

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/tests/harness"
)

// TestConsumerUsage: mistakes in how it is called.
func TestConsumerUsage(t *testing.T) {
	t.Parallel()
	tr := record(t, harness.New(t))
	for _, line := range []string{
		"consumer --batches-per-comit 1", "consumer stast", "consumer frobnicate", "consumer stats --wach", "consumer stats x", "consumer --server",
		"consumer --batches-per-commit 0", "consumer --batches-per-commit many", "consumer --replicas 2", "consumer --max-bytes 5",
		"consumer --http 8080", "consumer --http 127.0.0.1:http:x", "consumer --server x --context y", "consumer stats --output xml", "consumer stats --by week", "consumer stats --watch --by day",
		"consumer loads x", "consumer doctor x", "consumer migrate", "consumer migrate down", "consumer migrate up x",
		"consumer verify", "consumer verify --limit -1 a.csv", "consumer verify --label 'a b' a.csv",
		"consumer rejects", "consumer rejects lst", "consumer rejects ls a b", "consumer rejects show", "consumer rejects show a.csv", "consumer rejects show a.csv x", "consumer rejects replay",
		"consumer dead", "consumer dead show", "consumer dead show x", "consumer dead show 1 2", "consumer dead replay", "consumer dead replay --all 1",
		"consumer unload", "consumer unload a.csv", "consumer completion",
	} {
		if code := tr.run(t, line).Code; code != 2 {
			t.Errorf("%s: exit code %d, want 2", line, code)
		}
	}
	tr.check(t, "consumer-usage.golden")
}

// TestPostgres: what is said of a PostgreSQL that does not do.
func TestPostgres(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	tr := record(t, env)
	database := func(name string) string {
		u, err := url.Parse(env.DatabaseURL)
		if err != nil {
			t.Fatal(err)
		}
		u.Path = "/" + name
		return u.String()
	}
	for _, c := range []struct{ what, variable string }{
		{"not running", "DATABASE_URL=postgres://u:s3cret@127.0.0.1:9/d"},
		{"not running, by variables", "PGHOST=127.0.0.1"},
		{"no such socket", "DATABASE_URL=postgres:///d?host=/nonexistent&user=u"},
		{"no such socket, no database named", "DATABASE_URL=postgres:///?host=/nonexistent&user=u"},
		{"no such host", "DATABASE_URL=postgres://u:s3cret@no-such-host.invalid/d"},
		{"not an address", "DATABASE_URL=postgres://u:s3cret%@host:x/d"},
		{"another database system", "DATABASE_URL=mysql://u:s3cret@127.0.0.1:9/d"},
		{"no answer", "DATABASE_URL=postgres://u@" + silent(t) + "/d?connect_timeout=1"},
		{"wrong password", "DATABASE_URL=" + otherPassword(t, env.DatabaseURL)},
		{"no such database", "DATABASE_URL=" + database("absent")},
		{"no TLS", "DATABASE_URL=" + strings.Replace(env.DatabaseURL, "sslmode=disable", "sslmode=require", 1)},
		{"no such certificate", "DATABASE_URL=postgres://u@127.0.0.1:9/d?sslmode=verify-full&sslrootcert=absent.pem"},
	} {
		tr.about(c.what)
		environ := []string{c.variable}
		if c.what == "not running, by variables" {
			environ = []string{"DATABASE_URL=", c.variable, "PGPORT=9", "PGUSER=u", "PGDATABASE=d"}
		}
		tr.run(t, "consumer stats", environ...)
	}
	tr.about("a schema that is missing, and one that is older")
	for _, command := range []string{"stats", "loads", "verify a.csv", "rejects ls", "rejects show a.csv 1", "dead ls", "dead show 1", "unload --yes a.csv", "--migrate=false", "migrate status"} {
		tr.file(t, "a.csv", good)
		tr.run(t, "consumer "+command)
	}
	tr.run(t, "consumer migrate up")
	tr.run(t, "consumer migrate up")
	exec(t, env, "DELETE FROM streamgauge_migrations WHERE version_id = (SELECT max(version_id) FROM streamgauge_migrations)")
	tr.run(t, "consumer --migrate=false")
	tr.about("a schema that is newer")
	exec(t, env, "INSERT INTO streamgauge_migrations (version_id, is_applied) VALUES (2, true), (99999, true)")
	for _, command := range []string{"", "--migrate=false", "migrate up", "migrate status"} {
		tr.run(t, "consumer "+command)
	}
	exec(t, env, "DELETE FROM streamgauge_migrations WHERE version_id = 99999")
	tr.about("missing rights")
	role := fmt.Sprintf("%.30s_reader", env.Database)
	exec(t, env, "CREATE ROLE "+role+" LOGIN PASSWORD 's3cret'")
	defer exec(t, env, "DROP ROLE "+role)
	reader := env.DatabaseURL
	if u, err := url.Parse(reader); err == nil {
		u.User = url.UserPassword(role, "s3cret")
		reader = "DATABASE_URL=" + u.String()
	}
	for _, command := range []string{"", "stats", "loads", "rejects ls", "unload --yes a.csv", "migrate up"} {
		tr.run(t, "consumer "+command, reader)
	}
	tr.check(t, "postgres.golden", role, "READER")
}

func exec(t *testing.T, env *harness.Env, statement string) {
	t.Helper()
	if _, err := env.DB.Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// TestConsumerCommands: what is asked for and is not there.
func TestConsumerCommands(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	consumer := env.StartConsumer(t)
	tr := record(t, env)
	tr.about("nothing there yet")
	for _, command := range []string{"stats", "loads", "rejects ls", "dead ls", "rejects export"} {
		tr.run(t, "consumer "+command)
	}
	tr.file(t, "a.csv", good)
	tr.file(t, "bad.csv", "timestamp,price,user_id\n1/10/2012,fifty,9\n")
	tr.run(t, "producer --wait a.csv bad.csv")
	tr.run(t, "producer --wait --label x a.csv")
	tr.file(t, "two.zip", zipped(t, "a.csv", "b.csv"))
	tr.about("names that mean nothing, or several loads")
	for _, command := range []string{
		"verify absent.csv", "verify a.csv/x", "verify .", "verify /dev/null", "verify two.zip!c.csv", "verify bad.csv --label y", "unload --yes absent.csv", "unload --yes a.csv",
		"rejects ls absent.csv", "rejects show absent.csv 2", "rejects show bad.csv 3", "rejects export absent.csv",
		"dead show 7", "dead replay 7", "rejects replay absent.csv", "rejects replay a.csv", "rejects replay -",
	} {
		tr.run(t, "consumer "+command)
	}
	tr.file(t, "new.csv", "timestamp,price,user_id\n1/10/2012,1,9\n")
	tr.run(t, "consumer verify new.csv")
	tr.about("a list of corrections")
	tr.file(t, "list.csv", env.Consumer(t, "rejects", "export").Stdout)
	tr.run(t, "consumer rejects replay list.csv")
	tr.file(t, "broken.csv", "source,name,line,column,reason,record\nx,y,two,,,z\n")
	tr.run(t, "consumer rejects replay broken.csv")
	tr.file(t, "quotes.csv", "source,name,line,column,reason,record\nx,y,2,,,1/10/2012,\"5\n")
	tr.run(t, "consumer rejects replay quotes.csv")
	tr.about("onto a terminal")
	tr.see(t, "consumer rejects export")
	tr.about("loads without NATS")
	tr.run(t, "consumer loads", "NATS_URL=nats://127.0.0.1:9")
	tr.run(t, "consumer stats --watch", "NATS_URL=nats://127.0.0.1:9")
	tr.run(t, "consumer dead replay --all", "NATS_URL=nats://127.0.0.1:9")
	tr.about("corrected")
	tr.file(t, "right.csv", strings.ReplaceAll(env.Consumer(t, "rejects", "export").Stdout, "fifty", "50"))
	tr.run(t, "consumer rejects replay right.csv")
	tr.run(t, "consumer verify bad.csv")
	tr.about("unloaded")
	tr.run(t, "consumer unload --yes bad.csv")
	tr.run(t, "consumer unload --yes bad.csv")
	tr.run(t, "consumer verify bad.csv")
	tr.about("the live page's address")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, address := range []string{taken.Addr().String(), "192.0.2.1:8080", "no-such-host.invalid:8080"} {
		tr.run(t, "consumer --http "+address)
	}
	consumer.Terminate(t)
	tr.about("statistics that are not the table's")
	exec(t, env, "DELETE FROM prices WHERE line = 2 AND source_id = (SELECT min(source_id) FROM sources)")
	tr.run(t, "consumer stats")
	tr.run(t, "consumer verify a.csv")
	tr.check(t, "consumer-commands.golden", taken.Addr().String(), "127.0.0.1:PORT")
}
