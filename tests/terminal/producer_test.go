package terminal

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/streamgauge/streamgauge/shared/topology"
	"github.com/streamgauge/streamgauge/tests/harness"
)

const good = "timestamp,price,user_id\n1/10/2012,50,9\n"

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// otherPassword returns an address with a password that is not the server's.
func otherPassword(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(u.User.Username(), "not-the-password")
	return u.String()
}

// TestProducerUsage: mistakes in how it is called.
func TestProducerUsage(t *testing.T) {
	t.Parallel()
	tr := record(t, harness.New(t))
	for _, line := range []string{
		"producer", "producer --wiat a.csv", "producer --file", "producer --output xml a.csv", "producer -x a.csv", "producer completion bsh",
		"producer --rate 0 a.csv", "producer --rate fast a.csv", "producer --rate 10k --dry-run a.csv", "producer --wait --dry-run a.csv",
		"producer --batch-size many a.csv", "producer --batch-size 0 a.csv", "producer --batch-size 50001 a.csv",
		"producer --delimiter ;; a.csv", "producer --delimiter é a.csv", "producer --delimiter '' a.csv", "producer --delimiter '\"' a.csv",
		"producer --map price a.csv", "producer --map cost=price a.csv", "producer --map price=a --map price=b a.csv",
		"producer --columns a,b,c a.csv", "producer --no-header --columns a,b,c a.csv", "producer --no-header --columns price,price,timestamp,user_id a.csv",
		"producer --timestamp-format %Q a.csv", "producer --timestamp-format year a.csv",
		"producer --timestamp-format %Y-%d a.csv", "producer --timestamp-format %Y a.csv", "producer --timestamp-format '%Y-%m-%d %I:%M' a.csv",
		"producer --timestamp-format %Y-%V a.csv", "producer --timestamp-format %G-%V a.csv", "producer --timestamp-format %Y%e%m a.csv", "producer --timestamp-format %Y%m%d% a.csv",
		"producer watch", "producer watch a b", "producer watch --file a.csv", "producer watch --settle soon a", "producer watch --settle 0s a",
		"producer --timezone Madrid a.csv", "producer --timezone Local a.csv", "producer --label 'a b' a.csv", "producer --label '' a.csv",
		"producer --server x --context y a.csv", "producer --replicas 2 a.csv", "producer --replicas 0 a.csv", "producer --max-bytes 5 a.csv",
	} {
		if code := tr.run(t, line).Code; code != 2 {
			t.Errorf("%s: exit code %d, want 2", line, code)
		}
	}
	tr.check(t, "producer-usage.golden")
}

// TestProducerFiles: what is wrong with a file, before anything is sent.
func TestProducerFiles(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.StartConsumer(t)
	tr := record(t, env)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(bytes.Repeat([]byte(good), 100)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"good.csv": good, "empty.csv": "", "header.csv": "timestamp,price,user_id\n", "folder/notes.txt": "x",
		"names.csv": "timestamp,precio,user_id\n1/10/2012,50,9\n", "semicolon.csv": "timestamp;price;user_id\n1/10/2012;50;9\n",
		"tab.csv": "timestamp\tprice\tuser_id\n1/10/2012\t50\t9\n", "data.csv": "1/10/2012,50,9\n", "twice.csv": "timestamp,price,Price,user_id\n",
		"quote.csv": "\"timestamp,price,user_id\n1/10/2012,50,9\n", "cr.csv": "timestamp,price,user_id\r1/10/2012,50,9\r",
		"utf16.csv": "\xff\xfet\x00i\x00m\x00e\x00", "cut.csv.gz": string(packed.Bytes()[:40]), "page.csv": "<!DOCTYPE html>\n<html><body>Sign in</body></html>\n",
		"empty.zip": "PK\x05\x06" + string(make([]byte, 18)), "x.csv": "timestamp,price,user_id\n1/10/2012,5,9\n",
	} {
		tr.file(t, name, content)
	}
	for _, line := range []string{
		"producer absent.csv", "producer absent/*.csv", "producer folder", "producer [ab", "producer *.txt", "producer good.csv/x",
		"producer good.csv --exclude *.csv", "producer good.csv --exclude [", "producer empty.csv", "producer header.csv",
		"producer names.csv", "producer names.csv --map price=cost", "producer semicolon.csv", "producer tab.csv", "producer data.csv",
		"producer twice.csv", "producer quote.csv", "producer cr.csv", "producer utf16.csv", "producer page.csv",
		"producer cut.csv.gz", "producer empty.zip", "producer absent.zip!a.csv", "producer empty.zip!a.csv", "producer absent.csv names.csv good.csv --wait",
		"producer --dry-run absent.csv",
	} {
		tr.run(t, line)
	}
	tr.run(t, "producer -", "TMPDIR=/nonexistent")
	tr.run(t, "producer x.csv --wait", "TMPDIR=/nonexistent")
	tr.check(t, "producer-files.golden")
}

// TestProducerRecords: bad records, as they are told.
func TestProducerRecords(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.StartConsumer(t)
	tr := record(t, env)
	const header = "timestamp,price,user_id\n"
	tr.file(t, "bad.csv", header+"1/10/2012,50,9\n1/11/2012,fifty,2\n31/2/2012,40,3\n,40,3\n1/12/2012,40,\n1/12/2012,40,x\n1/13/2012,55\n1/14/2012,40,9,9\n1/14/2012,\"4\"0,9\n")
	tr.file(t, "day-first.csv", header+"10/1/2012,50,9\n31/1/2012,40,3\n30/1/2012,41,3\n")
	tr.file(t, "comma.csv", "timestamp;price;user_id\n2012-01-10;1234,50;9\n2012-01-11;2,5;9\n")
	tr.file(t, "point.csv", "timestamp;price;user_id\n2012-01-10;1234.50;9\n2012-01-11;1.234,5;9\n")
	tr.file(t, "thousands.csv", header+"2012-01-10,\"1,234.50\",9\n2012-01-11,€ 5,9\n2012-01-11,NaN,9\n2012-01-12,1e40,9\n2012-01-12,0.00000000000000000001,9\n")
	tr.file(t, "times.csv", header+"10.01.2012,5,9\n2012-01-10T25:00:00Z,5,9\n2012-01-10T10:00:00+17:00,5,9\n1326153600,5,9\n2012-1-10 10:00 CET,5,9\n")
	tr.file(t, "users.csv", header+"2012-01-10,5,9.0\n2012-01-10,5,9223372036854775808\n2012-01-10,5,a@b.example\n")
	tr.file(t, "hostile.csv", header+"2012-01-10,\x1b[2J\n\u202eevil,9\n")
	tr.file(t, "open.csv", header+"2012-01-10,\"5,9\n2012-01-11,5,9\n")
	for _, line := range []string{
		"producer --dry-run bad.csv", "producer --dry-run day-first.csv", "producer --dry-run comma.csv --delimiter ;",
		"producer --dry-run point.csv --delimiter ; --decimal-comma", "producer --dry-run thousands.csv", "producer --dry-run times.csv",
		"producer --dry-run times.csv --timestamp-format '%d/%m/%Y'", "producer --dry-run users.csv", "producer --dry-run hostile.csv", "producer --dry-run open.csv",
		"producer --wait bad.csv", "producer --wait bad.csv", "producer bad.csv", "producer --wait day-first.csv", "producer --wait bad.csv --output json", "producer --wait hostile.csv",
	} {
		tr.run(t, line)
	}
	tr.check(t, "producer-records.golden")
}

// TestProducerLoads: a file that is loaded already, in one way or another.
func TestProducerLoads(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	consumer := env.StartConsumer(t)
	tr := record(t, env)
	tr.file(t, "a.csv", good)
	tr.run(t, "producer --wait a.csv")
	tr.about("again")
	tr.run(t, "producer --wait a.csv")
	tr.run(t, "producer a.csv")
	tr.about("again, with a label")
	tr.run(t, "producer --wait --label x a.csv")
	tr.about("read otherwise")
	tr.run(t, "producer --wait --timezone Europe/Madrid a.csv")
	tr.run(t, "producer --wait --timestamp-format '%m/%d/%Y' --decimal-comma --no-header a.csv")
	tr.about("grown")
	tr.file(t, "a.csv", good+"1/11/2012,51,9\n")
	tr.run(t, "producer --wait a.csv")
	tr.about("changed")
	tr.file(t, "a.csv", "timestamp,price,user_id\n1/10/2012,49,9\n")
	tr.run(t, "producer --wait a.csv")
	tr.about("changed, allowed")
	tr.run(t, "producer --wait --allow-changed a.csv")
	tr.about("loaded under a label only")
	tr.file(t, "b.csv", "timestamp,price,user_id\n1/10/2012,48,9\n")
	tr.run(t, "producer --wait --label first b.csv")
	tr.run(t, "producer --wait b.csv")
	tr.about("taken back")
	tr.file(t, "c.csv", "timestamp,price,user_id\n1/10/2012,47,9\n")
	tr.run(t, "producer --wait c.csv")
	tr.run(t, "consumer unload --yes c.csv")
	tr.run(t, "producer --wait c.csv")
	tr.about("no consumer running")
	consumer.Terminate(t)
	tr.file(t, "d.csv", "timestamp,price,user_id\n1/10/2012,46,9\n")
	tr.run(t, "producer d.csv")
	tr.about("a consumer whose database does not answer")
	_, err := env.Conn(t).Subscribe(topology.SubjectLoad, func(question *nats.Msg) {
		_ = question.RespondMsg(&nats.Msg{Header: nats.Header{micro.ErrorCodeHeader: {"503"}, micro.ErrorHeader: {"the database does not answer"}}}) // or it is asked again
	})
	if err != nil {
		t.Fatal(err)
	}
	tr.file(t, "e.csv", "timestamp,price,user_id\n1/10/2012,45,9\n")
	tr.run(t, "producer e.csv")
	tr.about("two files of one name")
	tr.file(t, "jan/f.csv", "timestamp,price,user_id\n1/10/2012,44,9\n")
	tr.file(t, "feb/f.csv", "timestamp,price,user_id\n1/10/2012,43,9\n")
	tr.run(t, "producer jan/f.csv feb/f.csv")
	tr.check(t, "producer-loads.golden")
}

// sent is the line that says now and then how much is sent.
var sent = regexp.MustCompile(`(?m)^.* rows sent, .*\n`)

// TestProducerMeanwhile: what comes in between.
func TestProducerMeanwhile(t *testing.T) {
	t.Parallel()
	env := harness.New(t, harness.WithOwnNATS())
	env.StartConsumer(t)
	tr := record(t, env)
	meanwhile := func(what string, change func(path string)) {
		t.Helper()
		path := filepath.Join(tr.folder, "a.csv")
		write(t, path, "timestamp,price,user_id\n"+strings.Repeat("1/10/2012,50,9\n", 200_000))
		producer := env.StartProducer(t, "--wait", "--rate", "40k", "--label", strings.ReplaceAll(what, " ", "-"), path)
		harness.Eventually(t, soon, "something is stored", func() (bool, string) {
			n := env.Int(t, "SELECT count(*) FROM sources WHERE completed_at IS NULL AND retired_at IS NULL")
			return n == 1, fmt.Sprintf("%d sources", n)
		})
		change(path)
		result := producer.WaitWithin(t, time.Minute)
		tr.about(what)
		fmt.Fprintf(&tr.text, "%s%sexit code %d\n", result.Stdout, sent.ReplaceAllString(result.Stderr, ""), result.Code)
		exec(t, env, "UPDATE sources SET retired_at = now() WHERE completed_at IS NULL")
	}
	meanwhile("the file is changed", func(path string) {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteAt([]byte("9"), 2_900_000); err != nil {
			t.Fatal(err)
		}
	})
	meanwhile("the file is cut short", func(path string) {
		if err := os.Truncate(path, 100); err != nil {
			t.Fatal(err)
		}
	})
	meanwhile("the file grows", func(path string) {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString("1/10/2012,50,9\n"); err != nil {
			t.Fatal(err)
		}
	})
	tr.about("standard output is full")
	tr.file(t, "b.csv", good)
	result := env.Run(t, harness.Command{Program: "/bin/sh", Args: []string{"-c", `exec "$0" --dry-run b.csv >/dev/full`, env.Program(t, "producer")}, Dir: tr.folder})
	fmt.Fprintf(&tr.text, "$ producer --dry-run b.csv >/dev/full\n%sexit code %d\n", result.Stderr, result.Code)
	tr.about("NATS takes small messages only")
	env.Server.Stop(t)
	env.Server.MaxPayload = 100_000
	env.Server.Start(t)
	tr.run(t, "producer b.csv")
	tr.check(t, "producer-meanwhile.golden")
}
