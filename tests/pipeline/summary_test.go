package pipeline

import (
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/tests/harness"
)

var (
	took = regexp.MustCompile(` in [0-9.]+s: `)
	rate = regexp.MustCompile(`\([0-9]+ rows/s\)`)
)

// summaryOf returns what a producer told, without the stream's line, and with
// what differs between runs as X.
func summaryOf(stderr string) string {
	_, rest, _ := strings.Cut(stderr, "\n")
	return rate.ReplaceAllString(took.ReplaceAllString(rest, " in Xs: "), "(X rows/s)")
}

// TestSummary: what the whole run did, what it changed, and what is next.
func TestSummary(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	a := env.File(t, "a.csv", "timestamp,price,user_id\n1/1/2012,50.0,1\n1/2/2012,,2\n")
	b := env.File(t, "b.csv", "timestamp,price,user_id\n1/1/2012,70,1\n1/2/2012,x,2\n")
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{a}, 0, `producer: no consumer running: sent all, plan and name unchecked; what is already loaded will be ignored
producer: 1 file in Xs: 2 sent (X rows/s)
producer: queued is not stored yet: start 'consumer', and it will store it, or say in its log why not
`},
		{[]string{"--wait", a}, 0, `producer: 1 file in Xs: 0 sent, 2 stored, 0 rejected, 2 already loaded
producer: before: 2 rows, mean 50.0000000000000000, min 50.0, max 50.0
producer: after:  2 rows, mean 50.0000000000000000, min 50.0, max 50.0
producer: 'consumer stats' shows the statistics beside the database's own
`},
		{[]string{"--wait", a, b, "absent.csv"}, 1, `producer: b.csv:3: price "x": not a decimal number: expected digits with an optional sign, decimal point and exponent, in "1/2/2012,x,2"
producer: absent.csv: no such file. Check the path
producer: 3 files in Xs: 2 sent (X rows/s), 3 stored, 1 rejected, 2 already loaded, 1 file failed
producer: before: 2 rows, mean 50.0000000000000000, min 50.0, max 50.0
producer: after:  3 rows, mean 60.0000000000000000, min 50.0, max 70
producer: 'consumer rejects ls' lists each of them, 'consumer rejects export' writes them to be corrected
producer: 1 of 3 files failed, as told above. Mend them and run the same command again: what is loaded stays loaded
`},
	} {
		got := summaryOf(env.Producer(t, c.args...).Exits(t, c.code).Stderr)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q tells (-want +got):\n%s", c.args, diff)
		}
		if len(c.args) == 1 {
			env.StartConsumer(t)
			waitForRows(t, env, 2)
		}
	}
}

// TestInterruptedBeforeAWriter: a pipe that nobody writes to yet keeps nobody from
// stopping.
func TestInterruptedBeforeAWriter(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		producer := env.StartProducer(t, "--output", "json", pipe)
		producer.WaitFor(t, "stream ROWS", soon)
		producer.Signal(t, signal)
		result := producer.Wait(t).Exits(t, 130)
		contains(t, "standard output", result.Stdout, `"state":"interrupted"`)
		contains(t, "standard error", result.Stderr, "pipe: stopped before anything was sent; run the same command again to continue")
	}
}

// TestSecondInterrupt: the first says that it is safe, the second does not wait.
func TestSecondInterrupt(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	// Nobody says a word there, so that connecting does not return for 5 s.
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	producer := env.Start(t, harness.Command{Program: "producer", Env: []string{"NATS_URL=nats://" + silent.Addr().String()}, Args: []string{env.Sample(t, "2012-1.csv")}})
	conn, err := silent.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	producer.Signal(t, syscall.SIGINT)
	producer.WaitFor(t, "stopping, nothing is lost: what is sent stays queued, and the same command continues. Ctrl-C again ends at once", soon)
	contains(t, "standard error", producer.Interrupt(t).Exits(t, 130).Stderr, "ended at once")
}
