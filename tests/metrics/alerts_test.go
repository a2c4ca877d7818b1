package metrics

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/streamgauge/streamgauge/tests/checkout"
	"github.com/streamgauge/streamgauge/tests/harness"
)

// a and b are the labels of two consumers.
const (
	a = `{job="streamgauge",instance="a:8080"}`
	b = `{job="streamgauge",instance="b:8080"}`
)

// shortest is for how long an alert has to fire, so that it outlives the waits
// with which Alertmanager groups what it sends.
const shortest = 4 * time.Minute

// old says that the first consumer has run for long, started that it was 30 s
// before the first sample.
const (
	old     = `process_start_time_seconds` + a + ` -7200x240`
	started = `process_start_time_seconds` + a + ` -30x240`
)

// batches are series of batches_total of the first consumer.
func batches(outcome, values string) string {
	return `streamgauge_batches_total{job="streamgauge",instance="a:8080",outcome="` + outcome + `"} ` + values
}

// TestAlerts: each rule fires when it should and not before, and stays quiet
// when it should, in Prometheus' own engine. A sample is 15 s.
func TestAlerts(t *testing.T) {
	cases := []struct {
		alert, name string
		series      []string
		// within is when it has fired at last and after when it has not yet; zero
		// where it never does in an hour.
		after, within time.Duration
	}{
		{"StreamgaugeAbsent", "nobody is scraped", nil, 45 * time.Second, time.Minute},
		{"StreamgaugeAbsent", "all are down", []string{`up` + a + ` 1x20 0x240`, `up` + b + ` 0x240`}, 6 * time.Minute, 7 * time.Minute},
		{"StreamgaugeAbsent", "one of two is up", []string{`up` + a + ` 0x240`, `up` + b + ` 1x240`}, 0, 0},
		{"StreamgaugeAbsent", "it is started again", []string{`up` + a + ` 1x20 0x2 1x240`}, 0, 0},
		{"StreamgaugeAbsent", "another job is up", []string{`up{job="other"} 1x240`}, 45 * time.Second, time.Minute},

		{"StreamgaugeNotReady", "one is not", []string{`streamgauge_ready` + a + ` 1x240`, `streamgauge_ready` + b + ` 1x20 0x220`}, 6 * time.Minute, 6*time.Minute + 30*time.Second},
		{"StreamgaugeNotReady", "not ready for half a minute, again and again", []string{`streamgauge_ready` + a + ` 0 0 1 0 0 1 0 0 1 0 0 1 0 0 1x220`}, 0, 0},
		{"StreamgaugeNotReady", "ready", []string{`streamgauge_ready` + a + ` 1x240`}, 0, 0},

		{"StreamgaugeStalled", "seen by one scrape", []string{`streamgauge_stall_seconds` + a + ` 0x20 9 0x220`}, 5 * time.Minute, 5*time.Minute + 30*time.Second},
		{"StreamgaugeStalled", "the process ended of it", []string{`streamgauge_stall_seconds` + a + ` 0x20 7 _x220`}, 5 * time.Minute, 5*time.Minute + 30*time.Second},
		{"StreamgaugeStalled", "a short wait", []string{`streamgauge_stall_seconds` + a + ` 0 1 4.9 0x237`}, 0, 0},

		{"StreamgaugeRestarting", "three starts in a row", []string{`process_start_time_seconds` + a + ` 100x10 200x10 300x10 400x200`}, 7 * time.Minute, 9 * time.Minute},
		{"StreamgaugeRestarting", "an upgrade, and an hour later another", []string{`process_start_time_seconds` + a + ` 100x10 200x110 300x10 400x110`}, 0, 0},
		{"StreamgaugeRestarting", "another job", []string{`process_start_time_seconds{job="other"} 100x10 200x10 300x10 400x200`}, 0, 0},

		{
			"StreamgaugeLag", "the oldest waits ever longer",
			[]string{`streamgauge_stream_oldest_message_age_seconds` + a + ` 0+15x240`, `streamgauge_stream_oldest_message_age_seconds` + b + ` 0+15x240`},
			10 * time.Minute, 11 * time.Minute,
		},
		{"StreamgaugeLag", "a long load that is kept up with", []string{`streamgauge_stream_oldest_message_age_seconds` + a + ` 299x240`}, 0, 0},
		{"StreamgaugeLag", "a backlog that is worked off", []string{`streamgauge_stream_oldest_message_age_seconds` + a + ` 600x15 0x225`}, 0, 0},

		{
			"StreamgaugeStreamNearlyFull", "full for long",
			[]string{`streamgauge_stream_bytes` + a + ` 0x20 1000x220`, `streamgauge_stream_limit_bytes` + a + ` 1024x240`},
			20 * time.Minute, 20*time.Minute + 30*time.Second,
		},
		{"StreamgaugeStreamNearlyFull", "full in the course of a load", []string{`streamgauge_stream_bytes` + a + ` 1000x50 0x190`, `streamgauge_stream_limit_bytes` + a + ` 1024x240`}, 0, 0},
		{"StreamgaugeStreamNearlyFull", "no limit", []string{`streamgauge_stream_bytes` + a + ` 1e12x240`}, 0, 0},

		{"StreamgaugeRejects", "one", []string{`streamgauge_records_rejected_total` + a + ` 0x20 1x220`}, 5 * time.Minute, 5*time.Minute + 30*time.Second},
		{"StreamgaugeRejects", "one before the first scrape", []string{`streamgauge_records_rejected_total` + a + ` 1x240`, started}, -step, 30 * time.Second},
		{
			"StreamgaugeRejects", "one, and the process is started again",
			[]string{`streamgauge_records_rejected_total` + a + ` 0x20 1x4 0x216`, `process_start_time_seconds` + a + ` -7200x25 370x216`},
			5 * time.Minute, 5*time.Minute + 30*time.Second,
		},
		{"StreamgaugeRejects", "old ones", []string{`streamgauge_records_rejected_total` + a + ` 70x240`, old}, 0, 0},
		{"StreamgaugeRejects", "old ones, and the process is started again", []string{`streamgauge_records_rejected_total` + a + ` 70x10 0x230`, `process_start_time_seconds` + a + ` -7200x10 160x230`}, 0, 0},

		{
			"StreamgaugeManyRejects", "one in ten",
			[]string{
				`streamgauge_records_rejected_total` + a + ` 0x20 10x220`, `streamgauge_records_rejected_total` + b + ` 0x240`,
				`streamgauge_rows_stored_total` + a + ` 0x20 60x220`, `streamgauge_rows_stored_total` + b + ` 0x20 30x220`,
			},
			5 * time.Minute, 5*time.Minute + 30*time.Second,
		},
		{
			"StreamgaugeManyRejects", "one in a hundred",
			[]string{`streamgauge_records_rejected_total` + a + ` 0x20 10x220`, `streamgauge_rows_stored_total` + a + ` 0x20 990x220`},
			0, 0,
		},
		{
			"StreamgaugeManyRejects", "all of them",
			[]string{`streamgauge_records_rejected_total` + a + ` 0x20 10x220`, `streamgauge_rows_stored_total` + a + ` 0x240`, old},
			5 * time.Minute, 5*time.Minute + 30*time.Second,
		},
		{
			"StreamgaugeManyRejects", "one in ten before the first scrape",
			[]string{`streamgauge_records_rejected_total` + a + ` 10x240`, `streamgauge_rows_stored_total` + a + ` 90x240`, started},
			-step, 30 * time.Second,
		},
		{
			"StreamgaugeManyRejects", "one in a thousand before the first scrape, and more rows afterwards",
			[]string{`streamgauge_records_rejected_total` + a + ` 400x240`, `streamgauge_rows_stored_total` + a + ` 500000+10x240`, started},
			0, 0,
		},
		{"StreamgaugeManyRejects", "nothing is loaded", []string{`streamgauge_records_rejected_total` + a + ` 10x240`, `streamgauge_rows_stored_total` + a + ` 0x240`, old}, 0, 0},

		{"StreamgaugeDeadBatches", "one, of the second consumer", []string{`streamgauge_dead_batches_total` + a + ` 3x240`, `streamgauge_dead_batches_total` + b + ` 0x20 1x220`}, 5 * time.Minute, 5*time.Minute + 30*time.Second},
		{"StreamgaugeDeadBatches", "one before the first scrape", []string{`streamgauge_dead_batches_total` + a + ` 1x240`, started}, -step, 30 * time.Second},
		{"StreamgaugeDeadBatches", "old ones", []string{`streamgauge_dead_batches_total` + a + ` 3x240`, `streamgauge_database_dead_batches` + a + ` 3x240`, old}, 0, 0},
		{
			"StreamgaugeDeadBatches", "one, whose commit was not answered",
			[]string{`streamgauge_dead_batches_total` + a + ` 0x240`, `streamgauge_database_dead_batches` + a + ` 3x20 4x220`, `streamgauge_database_dead_batches` + b + ` 3x20 4x220`, old},
			5 * time.Minute, 5*time.Minute + 30*time.Second,
		},
		{"StreamgaugeDeadBatches", "old ones are replayed, and another consumer is started", []string{`streamgauge_database_dead_batches` + a + ` 3x20 0x220`, `streamgauge_database_dead_batches` + b + ` _x40 0x200`}, 0, 0},

		{"StreamgaugeIgnoredBatches", "superseded", []string{batches("superseded", "0x20 4x220")}, 5 * time.Minute, 5*time.Minute + 30*time.Second},
		{"StreamgaugeIgnoredBatches", "superseded before the first scrape", []string{batches("superseded", "4x240"), started}, -step, 30 * time.Second},
		{"StreamgaugeIgnoredBatches", "old ones", []string{batches("superseded", "4x240"), old}, 0, 0},
		{"StreamgaugeIgnoredBatches", "refused", []string{batches("refused", "0x20 4x220")}, 5 * time.Minute, 5*time.Minute + 30*time.Second},
		{"StreamgaugeIgnoredBatches", "retired", []string{batches("retired", "0x20 4x220")}, 5 * time.Minute, 5*time.Minute + 30*time.Second},
		{
			"StreamgaugeIgnoredBatches", "stored, and stored before",
			[]string{batches("stored", "0+9x240"), batches("already_stored", "0+9x240")},
			0, 0,
		},
	}
	all := rules(t)
	firing, quiet := make(map[string]bool), make(map[string]bool)
	for _, c := range cases {
		t.Run(c.alert+" "+c.name, func(t *testing.T) {
			i := slices.IndexFunc(all, func(r rulefmt.Rule) bool { return r.Alert == c.alert })
			if i < 0 {
				t.Fatal("there is no such rule")
			}
			first, last, fired := fires(t, all[i], record(t, c.series...), time.Hour)
			if fired != (c.within > 0) || fired && (first <= c.after || first > c.within) {
				t.Errorf("fired: %t, after %s; want between %s and %s", fired, first, c.after, c.within)
			}
			if fired && last-first < shortest {
				t.Errorf("fired for %s alone", last-first)
			}
		})
		if c.within > 0 {
			firing[c.alert] = true
		} else {
			quiet[c.alert] = true
		}
	}
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	guide, err := os.ReadFile(filepath.Join(root, "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range all {
		if !firing[rule.Alert] || !quiet[rule.Alert] {
			t.Errorf("%s: no case where it fires, or none where it does not", rule.Alert)
		}
		if !strings.Contains(string(guide), "### "+rule.Alert+"\n") {
			t.Errorf("docs/operations.md does not say what to do for %s", rule.Alert)
		}
		if want := "docs/operations.md#" + strings.ToLower(rule.Alert); rule.Annotations["runbook"] != want {
			t.Errorf("%s: its runbook is %q, not %q", rule.Alert, rule.Annotations["runbook"], want)
		}
	}
}

// TestAlertsNameWhatIsExposed: every selector of a rule finds series of a
// running consumer, as Prometheus would have scraped them.
func TestAlertsNameWhatIsExposed(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	consumer := startScraped(t, env)
	consumer.becomes(t, map[string]float64{"ready": 1, "stream_messages": 0, "database_rows": 0})
	exposed := []labels.Labels{labels.FromStrings("__name__", "up", "job", "streamgauge")} // Prometheus' own
	for name, family := range consumer.families(t) {
		for _, m := range family.GetMetric() {
			of := []string{"__name__", name, "job", "streamgauge"}
			for _, pair := range m.GetLabel() {
				of = append(of, pair.GetName(), pair.GetValue())
			}
			exposed = append(exposed, labels.FromStrings(of...))
		}
	}
	for _, rule := range rules(t) {
		expr, err := newParser().ParseExpr(rule.Expr)
		if err != nil {
			t.Fatalf("%s: %v", rule.Alert, err)
		}
		selectors := parser.ExtractSelectors(expr)
		if len(selectors) == 0 {
			t.Errorf("%s asks for no series", rule.Alert)
		}
		for _, selector := range selectors {
			if !slices.ContainsFunc(exposed, func(series labels.Labels) bool {
				return !slices.ContainsFunc(selector, func(m *labels.Matcher) bool { return !m.Matches(series.Get(m.Name)) })
			}) {
				t.Errorf("%s: the consumer exposes nothing that is %s", rule.Alert, selector)
			}
		}
	}
}
