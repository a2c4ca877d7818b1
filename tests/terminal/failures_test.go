package terminal

import (
	"archive/zip"
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/streamgauge/streamgauge/tests/harness"
)

// zipped is a zip archive with files of those names.
func zipped(t *testing.T, names ...string) string {
	t.Helper()
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	for _, name := range names {
		file, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.Write([]byte(good)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return archive.String()
}

// ordinary begins a command line whose program may not read what it is not
// allowed to, though root runs it.
func ordinary() []string {
	if os.Geteuid() != 0 {
		return nil
	}
	return []string{"setpriv", "--bounding-set=-dac_override,-dac_read_search"}
}

// TestUnreadable: files that are there and can't be read.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.StartConsumer(t)
	tr := record(t, env)
	tr.through = ordinary()
	tr.file(t, "a.csv", good)
	tr.file(t, "locked/a.csv", good)
	tr.file(t, "two.zip", zipped(t, "a.csv", "b.csv"))
	for _, path := range []string{"a.csv", "locked"} {
		if err := os.Chmod(filepath.Join(tr.folder, path), 0); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = os.Chmod(filepath.Join(tr.folder, "locked"), 0o700) })
	for _, line := range []string{
		"producer a.csv", "producer --dry-run a.csv", "producer locked", "producer locked/a.csv", "producer watch locked", "consumer verify a.csv", "consumer rejects replay a.csv",
		"producer *.csv", "producer two.zip!c.csv", "producer /proc/self/mem", "consumer verify /proc/self/mem", "producer ftp://127.0.0.1/a.csv",
		"producer watch absent", "producer watch two.zip", "producer watch https://127.0.0.1/drops/",
	} {
		tr.run(t, line)
	}
	tr.about("standard input that is a folder")
	result := env.Run(t, harness.Command{Program: "/bin/sh", Args: []string{"-c", `exec "$0" - <.`, env.Program(t, "producer")}, Dir: tr.folder})
	fmt.Fprintf(&tr.text, "$ producer - <.\n%sexit code %d\n", result.Stderr, result.Code)
	tr.check(t, "unreadable.golden")
}

// TestURLs: what a server may answer that is no file.
func TestURLs(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	tr := record(t, env)
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/page.csv":
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<!DOCTYPE html><title>Sign in</title>"))
		case "/expired.csv":
			w.WriteHeader(http.StatusForbidden)
		case "/round.csv":
			http.Redirect(w, r, "/round.csv", http.StatusFound)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(site.Close)
	for _, name := range []string{"absent.csv", "expired.csv", "page.csv", "round.csv"} {
		tr.run(t, "producer "+site.URL+"/"+name+"?token=s3cret")
	}
	tr.run(t, "producer http://no-such-host.invalid/a.csv")
	tr.run(t, "producer https://"+strings.TrimPrefix(site.URL, "http://")+"/a.csv")
	tr.check(t, "urls.golden")
}

// TestDead: a batch that PostgreSQL refuses each time it is sent, while --wait
// waits for it.
func TestDead(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.StartConsumer(t)
	tr := record(t, env)
	exec(t, env, `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF NEW.user_id = 13 THEN RAISE EXCEPTION 'user 13 is refused' USING ERRCODE = '22000'; END IF; RETURN NEW; END $$`)
	exec(t, env, "CREATE TRIGGER refuse BEFORE INSERT ON prices FOR EACH ROW EXECUTE FUNCTION refuse()")
	tr.file(t, "a.csv", "timestamp,price,user_id\n1/10/2012,50,9\n1/11/2012,51,13\n1/12/2012,52,9\n")
	tr.file(t, "b.csv", good)
	for _, line := range []string{"producer --wait --batch-size 1 a.csv", "producer --wait --batch-size 1 a.csv b.csv", "producer --wait --batch-size 1 --output json a.csv", "consumer loads", "consumer dead ls"} {
		if code := tr.run(t, line).Code; strings.HasPrefix(line, "producer") && code != 3 {
			t.Errorf("%s: exit code %d, not 3", line, code)
		}
	}
	tr.about("cured")
	exec(t, env, "DROP TRIGGER refuse ON prices")
	tr.run(t, "producer --wait --batch-size 1 a.csv")
	tr.check(t, "dead.golden")
}

// TestCounts: the database says that it has another number of records than the
// file.
func TestCounts(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.StartConsumer(t)
	tr := record(t, env)
	tr.file(t, "a.csv", good)
	tr.run(t, "producer --wait a.csv")
	exec(t, env, "UPDATE sources SET rows = rows + 1")
	tr.about("another number of rows")
	tr.run(t, "producer --wait a.csv")
	exec(t, env, "UPDATE sources SET rows = rows - 1, batches = batches + 1, completed_at = NULL")
	tr.about("another number of batches")
	tr.run(t, "producer --wait a.csv")
	tr.check(t, "counts.golden")
}

// TestNobodyThere: what --wait says while the consumer is frozen, and when the
// stream has lost what was in it; and the end of who waits for a pipe.
func TestNobodyThere(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	tr := record(t, env)
	tr.file(t, "a.csv", good)
	consumer := env.StartConsumer(t)
	consumer.Signal(t, stop)
	waiting := env.Start(t, harness.Command{Program: "producer", Args: []string{"--wait", "a.csv"}, Dir: tr.folder})
	waiting.WaitFor(t, "cause: no consumer answers", soon)
	consumer.Kill(t)
	env.Purge(t, "ROWS")
	env.StartConsumer(t)
	waiting.Wait(t).Exits(t, 0)
	tr.about("a frozen consumer, then a stream that has lost all")
	fmt.Fprintf(&tr.text, "$ producer --wait a.csv\n%s%s", waiting.Stdout(), onlyOnce(waiting.Stderr()))

	if err := syscall.Mkfifo(filepath.Join(tr.folder, "pipe.csv"), 0o600); err != nil {
		t.Fatal(err)
	}
	tr.about("a pipe that nobody writes to, and Ctrl-C")
	reading := env.Start(t, harness.Command{Program: "producer", Args: []string{"pipe.csv"}, Dir: tr.folder})
	reading.WaitFor(t, "nothing has come yet", soon)
	result := reading.Interrupt(t).Exits(t, 130)
	fmt.Fprintf(&tr.text, "$ producer pipe.csv\n%sexit code %d\n", onlyOnce(result.Stderr), result.Code)
	tr.check(t, "nobody.golden")
}

// onlyOnce is each line once, however often it was said, without those that
// depend on the moment.
func onlyOnce(text string) string {
	var once strings.Builder
	told := make(map[string]bool)
	for line := range strings.Lines(text) {
		if !told[line] && !regexp.MustCompile(`no consumer is running|rows sent`).MatchString(line) {
			told[line] = true
			once.WriteString(line)
		}
	}
	return once.String()
}
