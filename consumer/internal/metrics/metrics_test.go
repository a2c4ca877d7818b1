package metrics

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/consumer/internal/tally"
	"github.com/streamgauge/streamgauge/consumer/internal/watchdog"
	"github.com/streamgauge/streamgauge/shared/stats"
)

var update = flag.Bool("update", false, "write the golden files anew")

// hostile is text from a file, which must not get into a metric.
const hostile = "evil\x1b[31m.csv"

// world is what there is to ask.
type world struct {
	backlog Backlog
	err     error
	state   watchdog.State
}

func (w *world) Backlog(ctx context.Context) (Backlog, error) {
	if _, bounded := ctx.Deadline(); !bounded {
		return Backlog{}, errors.New("asked without a limit")
	}
	return w.backlog, w.err
}
func (*world) InHand() (messages, bytes int) { return 12, 3456 }
func (*world) Redelivered() uint64           { return 78 }
func (w *world) State() watchdog.State       { return w.state }

func (w *world) sources() Sources { return Sources{Queue: w, Intake: w, Watchdog: w} }

func scrape(t *testing.T, m *Metrics, host string) (status int, text string) {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody)
	request.Host = host
	recorder := httptest.NewRecorder()
	m.ServeHTTP(recorder, request)
	return recorder.Code, recorder.Body.String()
}

// own returns the lines of the consumer's own metrics, but for those that
// depend on the time and on Go's version.
func own(text string) string {
	var lines strings.Builder
	for line := range strings.Lines(text) {
		changes := strings.HasPrefix(line, "streamgauge_build_info{") || strings.HasPrefix(line, "streamgauge_last_commit_timestamp_seconds ")
		if strings.Contains(line, "streamgauge_") && !changes {
			lines.WriteString(line)
		}
	}
	return lines.String()
}

func busy() *Metrics {
	m := New("1.2.3", func() string { return "" }, slog.New(slog.DiscardHandler))
	batch := func(rows int64, rejects int) *store.Batch {
		return &store.Batch{Source: store.Source{Identity: hostile, Name: hostile}, Tally: tally.Sheet{Rows: rows}, Rejects: make([]store.Reject, rejects)}
	}
	m.Committed([]*store.Batch{batch(5, 2), batch(7, 0), batch(100, 100)},
		&store.Result{Outcomes: []store.Outcome{store.Stored, store.Stored, store.AlreadyStored}, Dead: 3}, 20*time.Millisecond)
	m.Committed([]*store.Batch{batch(1, 1), batch(1, 1), batch(1, 1)},
		&store.Result{Outcomes: []store.Outcome{store.Superseded, store.Refused, store.Retired}}, 3*time.Second)
	m.Failed(store.Retry)
	m.Failed(store.Retry)
	m.Failed(store.Poison)
	m.Observe(&stats.Snapshot{
		Revision: 7, Rows: 151, Count: 147, Nulls: 4, Rejected: 2, Dead: 3,
		Sum: "8380", Mean: "57.0068027210884354", Min: "-10", Max: "100.00", StdDev: "", Source: hostile,
	})
	w := &world{
		backlog: Backlog{Messages: 9, Bytes: 1000, Limit: 1 << 30, Oldest: 1500 * time.Millisecond},
		state:   watchdog.State{PostgreSQL: true, NATS: false, Stalled: 4 * time.Second},
	}
	m.Follow(w.sources())
	return m
}

func TestText(t *testing.T) {
	status, text := scrape(t, busy(), "localhost")
	if status != http.StatusOK {
		t.Fatal(status, text)
	}
	golden := filepath.Join("testdata", "metrics.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(own(text)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), own(text)); diff != "" {
		t.Error("want -, got + (-update writes it anew)", diff)
	}
	for _, part := range []string{"streamgauge_build_info{goversion=\"go1.", `version="1.2.3"} 1`, "\ngo_goroutines ", "\nprocess_start_time_seconds "} {
		if !strings.Contains(text, part) {
			t.Errorf("lacks %q", part)
		}
	}
	if strings.Contains(text, "evil") {
		t.Error("it shows a file's name")
	}
}

// TestNames: Prometheus' own rules for names, units and help texts.
func TestNames(t *testing.T) {
	_, text := scrape(t, busy(), "localhost")
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	if !strings.Contains(text, "# HELP streamgauge_ready ") {
		t.Error("nothing was looked at")
	}
}

// TestBeforeItIsConnected: every counter is there from the start, at 0, or the
// first increase could not be seen; what is not known is left out.
func TestBeforeItIsConnected(t *testing.T) {
	m := New("1.2.3", func() string { return "starting" }, slog.New(slog.DiscardHandler))
	status, text := scrape(t, m, "localhost")
	if status != http.StatusOK {
		t.Fatal(status, text)
	}
	for _, line := range []string{
		"streamgauge_ready 0", "streamgauge_rows_stored_total 0", "streamgauge_records_rejected_total 0", "streamgauge_dead_batches_total 0",
		`streamgauge_batches_total{outcome="stored"} 0`, `streamgauge_batches_total{outcome="already_stored"} 0`,
		`streamgauge_batches_total{outcome="superseded"} 0`, `streamgauge_batches_total{outcome="refused"} 0`, `streamgauge_batches_total{outcome="retired"} 0`,
		`streamgauge_write_failures_total{class="retry"} 0`, `streamgauge_write_failures_total{class="poison"} 0`, `streamgauge_write_failures_total{class="fatal"} 0`,
		"streamgauge_commit_duration_seconds_count 0", "streamgauge_last_commit_timestamp_seconds 0",
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("lacks %q", line)
		}
	}
	for _, name := range []string{"streamgauge_stream_messages", "streamgauge_price_mean", "streamgauge_dependency_up"} {
		if strings.Contains(text, name) {
			t.Errorf("knows %s", name)
		}
	}
}

func TestWhileTheQueueDoesNotAnswer(t *testing.T) {
	m := busy()
	w := &world{err: context.DeadlineExceeded, state: watchdog.State{PostgreSQL: true}}
	m.Follow(w.sources())
	status, text := scrape(t, m, "localhost")
	if status != http.StatusOK || strings.Contains(text, "streamgauge_stream_") || !strings.Contains(text, "streamgauge_messages_in_hand 12\n") {
		t.Errorf("%d:\n%s", status, own(text))
	}
	w = &world{backlog: Backlog{Messages: 1}}
	m.Follow(w.sources())
	if _, text := scrape(t, m, "localhost"); strings.Contains(text, "streamgauge_stream_limit_bytes") {
		t.Error("a stream without a limit has one")
	}
}

func TestNumbers(t *testing.T) {
	m := New("", func() string { return "" }, slog.New(slog.DiscardHandler))
	m.Observe(&stats.Snapshot{Mean: "1" + stats.Number(strings.Repeat("0", 400)), Min: "-0.10"})
	_, text := scrape(t, m, "localhost")
	for _, line := range []string{"streamgauge_price_mean +Inf", "streamgauge_price_min -0.1", "streamgauge_price_max NaN"} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("lacks %q", line)
		}
	}
}

// TestOtherNames: the figures are guarded as the page is.
func TestOtherNames(t *testing.T) {
	if status, text := scrape(t, busy(), "evil.example"); status != http.StatusForbidden || strings.Contains(text, "streamgauge_") {
		t.Errorf("%d: %s", status, text)
	}
}

// TestCostOfCounting: what a transaction's count costs does not depend on rows,
// and leaves nothing to collect.
func TestCostOfCounting(t *testing.T) {
	m := busy()
	batches := []*store.Batch{{Tally: tally.Sheet{Rows: 50_000}}, {Tally: tally.Sheet{Rows: 1}}}
	result := &store.Result{Outcomes: []store.Outcome{store.Stored, store.AlreadyStored}}
	allocations := testing.AllocsPerRun(100, func() {
		m.Committed(batches, result, time.Millisecond)
		m.Failed(store.Retry)
	})
	if allocations != 0 {
		t.Errorf("%g allocations", allocations)
	}
}

func TestConcurrentUse(t *testing.T) {
	m := busy()
	before, _ := strings.CutPrefix(lineOf(t, m, "streamgauge_rows_stored_total "), "streamgauge_rows_stored_total ")
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 250 {
				m.Committed([]*store.Batch{{Tally: tally.Sheet{Rows: 1}}}, &store.Result{Outcomes: []store.Outcome{store.Stored}}, time.Millisecond)
				m.Observe(&stats.Snapshot{Mean: "1"})
				m.Follow((&world{}).sources())
			}
		})
		all.Go(func() { scrape(t, m, "localhost") })
	}
	all.Wait()
	if got := lineOf(t, m, "streamgauge_rows_stored_total "); before != "12" || got != "streamgauge_rows_stored_total 1012" {
		t.Errorf("%s, then %s", before, got)
	}
}

func lineOf(t *testing.T, m *Metrics, beginning string) string {
	t.Helper()
	_, text := scrape(t, m, "localhost")
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, beginning) {
			return strings.TrimSuffix(line, "\n")
		}
	}
	t.Fatalf("no %s in\n%s", beginning, text)
	return ""
}
