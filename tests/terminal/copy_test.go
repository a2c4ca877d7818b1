package terminal

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/tests/harness"
)

// half serves a file of which the second half comes when the channel is closed.
func half(t *testing.T, content string) (address string, rest chan struct{}) {
	t.Helper()
	rest = make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		_, _ = w.Write([]byte(content[:len(content)/2])) // who is gone misses nothing
		_ = http.NewResponseController(w).Flush()
		select {
		case <-rest:
		case <-r.Context().Done():
		}
		_, _ = w.Write([]byte(content[len(content)/2:]))
	}))
	t.Cleanup(server.Close)
	return server.URL + "/2012-6.csv", rest
}

// TestCopyBar: a bar while what is at a URL is fetched, and nothing left of it.
func TestCopyBar(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.StartConsumer(t)
	address, rest := half(t, "timestamp,price,user_id\n"+strings.Repeat("1/10/2012,50,9\n", 400_000))
	producer := onTerminal(t, env, "producer", "--wait", address)
	shown := untilShown(t, producer, "2.9 MiB of 5.7 MiB copied, ")
	bar := regexp.MustCompile(`(?m)^2012-6\.csv \[=+>-+\] +50%( .*)?\n  2\.9 MiB of 5\.7 MiB copied, \S+ \w+/s$`)
	if !bar.MatchString(shown) {
		t.Errorf("while it is fetched:\n%s", shown)
	}
	close(rest)
	result := producer.Wait(t).Exits(t, 0)
	if left := seen(t, result.Stdout); strings.Contains(left, "copied") || !strings.Contains(left, "committed: 400000 rows") {
		t.Errorf("in the end:\n%s", left)
	}
}

// TestCopyLines: where there is no terminal, a line says how much of a URL is
// there, and that nothing comes from a pipe.
func TestCopyLines(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	address, rest := half(t, "timestamp,price,user_id\n"+strings.Repeat("1/10/2012,50,9\n", 400_000))
	fetching := env.StartProducer(t, address)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer write.Close()
	reading := env.Start(t, harness.Command{Program: "producer", Args: []string{"-"}, Stdin: read})
	_ = read.Close() // the program has it
	if got, want := fetching.WaitFor(t, "copied", soon), "producer: 2012-6.csv: 2.9 MiB of 5.7 MiB copied, "; !strings.HasPrefix(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := reading.WaitFor(t, "nothing has come", soon), "producer: stdin: nothing has come yet\n"; strings.TrimSpace(got) != strings.TrimSpace(want) {
		t.Errorf("%q, want %q", got, want)
	}
	if _, err := write.WriteString("timestamp,"); err != nil {
		t.Fatal(err)
	}
	reading.WaitFor(t, "stdin: 10 bytes copied, ", soon)
	close(rest)
	reading.Interrupt(t).Exits(t, 130)
}

// TestTypedInput: who sends standard input from a terminal is told how to end it,
// and no bar gets in between.
func TestTypedInput(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.StartConsumer(t)
	producer := onTerminal(t, env, "producer", "--wait", "-")
	untilShown(t, producer, "paste the CSV, then Ctrl-D")
	producer.Type(t, good+"\x04")
	result := producer.Wait(t).Exits(t, 0)
	shown := seen(t, result.Stdout)
	if strings.Contains(shown, "nothing has come") || !strings.Contains(shown, "stdin: 1 new, 0 already loaded, 1 batch, committed: 1 row") {
		t.Errorf("shown:\n%s", shown)
	}
}
