package metrics

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/streamgauge/streamgauge/tests/checkout"
)

// step is between scrapes, and between evaluations.
const step = 15 * time.Second

// sample implements chunks.Sample.
type sample struct {
	at    int64
	value float64
}

func (s sample) T() int64                    { return s.at }
func (sample) ST() int64                     { return 0 }
func (s sample) F() float64                  { return s.value }
func (sample) H() *histogram.Histogram       { return nil }
func (sample) FH() *histogram.FloatHistogram { return nil }
func (sample) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (s sample) Copy() chunks.Sample         { return s }

// history is what Prometheus has scraped: a storage.Queryable in memory.
type history []storage.Series

// record returns the history of series in promtool's notation, such as
// up{job="x"} 1x4 0x8, with a sample every step from time 0 on.
func record(t *testing.T, lines ...string) history {
	t.Helper()
	var h history
	for _, line := range lines {
		name, values, err := newParser().ParseSeriesDesc(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		var samples []chunks.Sample
		for i, v := range values {
			if !v.Omitted {
				samples = append(samples, sample{int64(i) * step.Milliseconds(), v.Value})
			}
		}
		h = append(h, storage.NewListSeries(name, samples))
	}
	slices.SortFunc(h, func(a, b storage.Series) int { return labels.Compare(a.Labels(), b.Labels()) })
	return h
}

func (h history) Querier(int64, int64) (storage.Querier, error) { return querier{h: h}, nil }

type querier struct {
	storage.LabelQuerier

	h history
}

func (querier) Close() error { return nil }

func (q querier) Select(_ context.Context, _ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	found := &found{}
	for _, series := range q.h {
		if !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(series.Labels().Get(m.Name)) }) {
			found.rest = append(found.rest, series)
		}
	}
	return found
}

// found implements storage.SeriesSet.
type found struct {
	rest    []storage.Series
	current storage.Series
}

func (f *found) Next() bool {
	if len(f.rest) == 0 {
		return false
	}
	f.current, f.rest = f.rest[0], f.rest[1:]
	return true
}
func (f *found) At() storage.Series              { return f.current }
func (*found) Err() error                        { return nil }
func (*found) Warnings() annotations.Annotations { return nil }

func newParser() parser.Parser { return parser.NewParser(parser.Options{}) }

// rules are the alerts of the file, which is read as Prometheus does: that checks
// its form, its expressions and its templates. What they take from recording rules
// stands in their expressions itself.
func rules(t *testing.T) []rulefmt.Rule {
	t.Helper()
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(root, "deploy", "prometheus", "alerts.yml"))
	if err != nil {
		t.Fatal(err)
	}
	groups, errs := rulefmt.Parse(content, false, model.UTF8Validation, newParser(), slog.New(slog.DiscardHandler))
	for _, err := range errs {
		t.Error(err)
	}
	if len(errs) > 0 {
		t.FailNow()
	}
	var alerts []rulefmt.Rule
	var recorded []string // name, expression, name, ...
	for _, group := range groups.Groups {
		for _, rule := range group.Rules {
			if rule.Record != "" {
				recorded = append(recorded, rule.Record, "("+rule.Expr+")")
				continue
			}
			rule.Expr = strings.NewReplacer(recorded...).Replace(rule.Expr)
			alerts = append(alerts, rule)
		}
	}
	return alerts
}

// fires evaluates a rule at every step, as Prometheus does, and says when it
// first fired, and for the last time: its expression had a result for the same
// labels all of its "for". It fails the test where the expression can't be
// evaluated.
func fires(t *testing.T, rule rulefmt.Rule, h history, length time.Duration) (first, last time.Duration, fired bool) {
	t.Helper()
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 1e6, Timeout: time.Minute, LookbackDelta: 5 * time.Minute, Parser: newParser()})
	active := make(map[uint64]time.Duration)
	for at := time.Duration(0); at <= length; at += step {
		query, err := engine.NewInstantQuery(t.Context(), h, nil, rule.Expr, time.UnixMilli(at.Milliseconds()))
		if err != nil {
			t.Fatalf("%s: %v", rule.Alert, err)
		}
		result := query.Exec(t.Context())
		vector, err := result.Vector()
		if err != nil {
			t.Fatalf("%s: %v", rule.Alert, err)
		}
		still := make(map[uint64]time.Duration)
		for _, s := range vector {
			key := s.Metric.Hash()
			since, before := active[key]
			if !before {
				since = at
			}
			if at-since >= time.Duration(rule.For) {
				if last = at; !fired {
					first, fired = at, true
				}
			}
			still[key] = since
		}
		active = still
		query.Close()
	}
	return first, last, fired
}
