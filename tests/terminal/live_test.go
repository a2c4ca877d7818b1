package terminal

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/sandbox/gen"
	"github.com/streamgauge/streamgauge/tests/harness"
)

// soon is what something that takes a moment may take on a busy machine.
const soon = 30 * time.Second

// number is a count while it changes.
var number = regexp.MustCompile(`\d+(\.\d+M)?`)

// many is the path of a file that takes a while at a low rate.
func many(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "una exportación de las ventas del año 2012 parte-00017.csv")
	if err := gen.WriteFile(t.Context(), path, gen.Config{Rows: 100_000, Seed: 5}); err != nil {
		t.Fatal(err)
	}
	return path
}

// untilShown waits until a terminal shows a text, and returns all it shows then.
func untilShown(t *testing.T, p *harness.Process, text string) string {
	t.Helper()
	var shown string
	harness.Eventually(t, soon, fmt.Sprintf("the terminal shows %q", text), func() (bool, string) {
		shown = seen(t, p.Stdout())
		return strings.Contains(shown, text), shown
	})
	return shown
}

func onTerminal(t *testing.T, env *harness.Env, program string, args ...string) *harness.Process {
	t.Helper()
	return env.Start(t, harness.Command{Program: program, Args: args, Env: []string{"TERM=xterm-256color"}, Columns: columns})
}

// TestBar: a bar while a file is on its way, with log lines above it, and
// nothing left of it in the end. Ctrl-C is safe and says so.
func TestBar(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.StartConsumer(t)
	producer := onTerminal(t, env, "producer", "--wait", "--rate", "2k", many(t))
	untilShown(t, producer, "committed, ")
	harness.Eventually(t, soon, "rows are committed", func() (bool, string) {
		shown := seen(t, producer.Stdout())
		return !strings.Contains(shown, " 0 committed") && strings.Contains(shown, " left\n"), shown
	})
	during := seen(t, producer.Stdout())
	lines := strings.Split(strings.TrimSuffix(during, "\n"), "\n")
	bar := regexp.MustCompile(`^una exportac…rte-00017\.csv \[=*>?-+\] +\d+%  (\d+m)?\d+s left$`)
	figures := regexp.MustCompile(`^  \d+ of 100000 rows sent, \d+ acked, [1-9]\d* committed, \d+ rows/s$`)
	if len(lines) != 4 || !bar.MatchString(lines[2]) || !figures.MatchString(lines[3]) {
		t.Errorf("while it runs:\n%s", during)
	}
	producer.Type(t, "\x03")
	result := producer.Wait(t).Exits(t, 130)
	const name = "una exportación de las ventas del año 2012 parte-00017.csv"
	got := seen(t, result.Stdout)
	got = regexp.MustCompile(`1 file in .*`).ReplaceAllString(got, "1 file in Xs: N sent (N rows/s)")
	got = regexp.MustCompile(`batch \d+ of`).ReplaceAllString(got, "batch N of")
	want := `producer: stream ROWS: file storage, R1, 1024 MiB; a power cut may cost acked
  messages, which --wait sends again
producer: stopping, nothing is lost: what is sent stays queued, and the same
  command continues. Ctrl-C again ends at once
producer: 1 file in Xs: N sent (N rows/s)
producer: ` + name + `: stopped
  after batch N of 200; run the same command again to continue
`
	if strings.ReplaceAll(got, ", 0 already loaded", "") != want {
		t.Errorf("in the end:\n%s", got)
	}
}

// The two answers to Ctrl-C.
const (
	stopping = "stopping, nothing is lost: what is sent stays queued, and the same\n  command continues. Ctrl-C again ends at once\n"
	forced   = "producer: ended at once, nothing is lost: the same command continues\n"
)

// TestSecondCtrlC: the first says that it is safe, and waits for what is on its
// way; the second does not.
func TestSecondCtrlC(t *testing.T) {
	t.Parallel()
	env := harness.New(t, harness.WithOwnNATS())
	env.StartConsumer(t)
	// frozen is a producer whose server stopped answering while it was sending.
	frozen := func(label string) *harness.Process {
		t.Helper()
		producer := onTerminal(t, env, "producer", "--rate", "2k", "--batch-size", "100", "--label", label, many(t))
		rowsSent := func() int {
			t.Helper()
			found := regexp.MustCompile(`(\d+) of 100000 rows sent`).FindStringSubmatch(seen(t, producer.Stdout()))
			if found == nil {
				return 0
			}
			n, err := strconv.Atoi(found[1])
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		untilShown(t, producer, " acked, ")
		env.Server.Process().Signal(t, stop)
		// More than was on its way when the server froze: of these none is acked.
		before := rowsSent()
		harness.Eventually(t, soon, "something is on its way that nobody acks", func() (bool, string) {
			return rowsSent() >= before+1000, seen(t, producer.Stdout())
		})
		return producer
	}

	patient := frozen("patient")
	typed := time.Now()
	patient.Type(t, "\x03")
	untilShown(t, patient, stopping)
	shown := seen(t, patient.Wait(t).Exits(t, 130).Stdout)
	took := time.Since(typed)
	if !strings.Contains(shown, "run the same command again to continue") || strings.Contains(shown, forced) {
		t.Errorf("after the first:\n%s", shown)
	}
	env.Server.Process().Signal(t, resume)

	hasty := frozen("hasty")
	hasty.Type(t, "\x03")
	untilShown(t, hasty, stopping)
	select {
	case <-hasty.Exited():
		t.Error("it ended before the second")
	default:
	}
	typed = time.Now()
	hasty.Type(t, "\x03")
	shown = seen(t, hasty.Wait(t).Exits(t, 130).Stdout)
	if !strings.HasSuffix(shown, forced) || strings.Contains(shown, "1 file in") {
		t.Errorf("after the second:\n%s", shown)
	}
	if hurried := time.Since(typed); hurried > took/2 {
		t.Errorf("the second took %s, the first alone %s", hurried, took)
	}
	env.Server.Process().Signal(t, resume)
}

// TestDumbTerminal: no sequences, but a line every 5 s.
func TestDumbTerminal(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	for name, command := range map[string]harness.Command{
		"terminal": {Env: []string{"TERM=dumb"}, Columns: columns},
		"pipe":     {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			command.Program, command.Args = "producer", []string{"--rate", "2k", "--label", name, many(t)}
			producer := env.Start(t, command)
			find := producer.WaitFor
			if name == "terminal" {
				find = producer.WaitForStdout
			}
			line := number.ReplaceAllString(find(t, " acked, ", soon), "N")
			if want := "producer: una exportación de las ventas del año N parte-N.csv:"; !strings.HasPrefix(line, want) && name == "pipe" {
				t.Errorf("told %q", line)
			}
			if text := producer.Stdout() + producer.Stderr(); strings.Contains(text, "\x1b") {
				t.Errorf("%q", text)
			}
			producer.Signal(t, 2)
			producer.Wait(t).Exits(t, 130)
		})
	}
}

// TestWatch: one table in place, that Ctrl-C ends.
func TestWatch(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.StartConsumer(t)
	watch := onTerminal(t, env, "consumer", "stats", "--watch")
	untilShown(t, watch, "revision  0")
	env.Producer(t, "--wait", "--batch-size", "5", env.Sample(t, "2012-1.csv")).Exits(t, 0)
	shown := untilShown(t, watch, "rows      22 ")
	shown = regexp.MustCompile(`rows/s    \S+`).ReplaceAllString(shown, "rows/s    N")
	shown = regexp.MustCompile(`revision  \d+ `).ReplaceAllString(shown, "revision  N ")
	shown = regexp.MustCompile(`[▁▂▃▄▅▆▇█]+`).ReplaceAllString(shown, "▁█")
	golden(t, "watch.golden", shown)
	watch.Type(t, "\x03")
	watch.Wait(t).Exits(t, 130)
}

// TestUnloadAsks: Ctrl-C at the question ends the command, and nothing is changed.
func TestUnloadAsks(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.StartConsumer(t)
	env.Producer(t, "--wait", env.Sample(t, "2012-1.csv")).Exits(t, 0)
	unload := onTerminal(t, env, "consumer", "unload", "2012-1.csv")
	untilShown(t, unload, "[y/N]")
	unload.Type(t, "\x03")
	unload.Wait(t).Exits(t, 130)
	if shown := seen(t, unload.Stdout()); !strings.Contains(shown, "consumer: nothing was changed\n") {
		t.Errorf("it shows\n%s", shown)
	}
	if n := env.Int(t, "SELECT rows FROM stats"); n != 22 {
		t.Errorf("%d rows", n)
	}
}
