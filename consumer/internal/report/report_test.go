package report_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/consumer/internal/report"
	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/shared/record"
	"github.com/streamgauge/streamgauge/shared/stats"
	"github.com/streamgauge/streamgauge/shared/wire"
)

const (
	columns = 80
	// hostile is a name that colours, erases, reverses, and ends lines.
	hostile        = "a\x1b[31m\u009b2J\u202eb\nc\x7f.csv"
	hostilePrinted = `"a\x1b[31m\u009b2J\u202eb\nc\x7f.csv"`
)

func snapshot() stats.Snapshot {
	return stats.Snapshot{
		Metric: "price", Database: "0b1f2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d", Revision: 33,
		Rows: 151, Count: 147, Nulls: 4, Rejected: 2, Dead: 1,
		Sum: "8380", Mean: "57.0068027210884354", Min: "10", Max: "100", StdDev: "26.8470012345678901",
		P50: "54.5", P95: "96.5", P99: "100",
		First: "2012-01-01T00:00:00Z", Last: "2012-06-08T00:00:00Z",
		Source: "validation.csv", UpdatedAt: "2026-11-23T18:00:00.123456Z",
	}
}

func printed(t *testing.T, json bool, show func(report.Printer) error) string {
	t.Helper()
	var out bytes.Buffer
	if err := show(report.Printer{Out: &out, JSON: json}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		for _, r := range strings.TrimSuffix(line, "\n") {
			if !unicode.IsPrint(r) {
				t.Errorf("%U stands in %q", r, line)
			}
		}
	}
	return out.String()
}

func expect(t *testing.T, want, got string) {
	t.Helper()
	if diff := cmp.Diff(strings.TrimPrefix(want, "\n"), got); diff != "" {
		t.Error("want -, got +", diff)
	}
}

func expectNarrow(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > columns {
			t.Errorf("%d columns: %s", n, line)
		}
		if strings.HasSuffix(line, " \n") {
			t.Errorf("spaces at the end of %q", line)
		}
	}
}

func TestComparison(t *testing.T) {
	running, table := snapshot(), snapshot()
	c := &store.Comparison{Running: &running, Table: &table}
	show := func(p report.Printer) error { return p.Comparison(c) }
	t.Run("agree", func(t *testing.T) {
		got := printed(t, false, show)
		expectNarrow(t, got)
		expect(t, `
          running               SELECT
rows      151                   151
count     147                   147
nulls     4                     4
sum       8380                  8380
mean      57.0068027210884354   57.0068027210884354
min       10                    10
max       100                   100
stddev    26.8470012345678901   26.8470012345678901
p50       54.5                  54.5
p95       96.5                  96.5
p99       100                   100
first     2012-01-01T00:00:00Z  2012-01-01T00:00:00Z
last      2012-06-08T00:00:00Z  2012-06-08T00:00:00Z
rejected  2                     2
dead      1                     1
They agree.  (revision 33)
`, got)
	})
	t.Run("empty", func(t *testing.T) {
		empty := stats.Snapshot{Metric: "price"}
		got := printed(t, false, func(p report.Printer) error {
			return p.Comparison(&store.Comparison{Running: &empty, Table: &empty})
		})
		expect(t, `
          running  SELECT
rows      0        0
count     0        0
nulls     0        0
sum       -        -
mean      -        -
min       -        -
max       -        -
stddev    -        -
p50       -        -
p95       -        -
p99       -        -
first     -        -
last      -        -
rejected  0        0
dead      0        0
They agree.  (revision 0)
`, got)
	})
	t.Run("differ", func(t *testing.T) {
		table.Rows, table.Mean = 150, "57.0068027210884355"
		c.Differences = []string{"rows", "mean"}
		got := printed(t, false, show)
		expectNarrow(t, got)
		expect(t, `
          running               SELECT
rows      151                   150  <- differs
count     147                   147
nulls     4                     4
sum       8380                  8380
mean      57.0068027210884354   57.0068027210884355  <- differs
min       10                    10
max       100                   100
stddev    26.8470012345678901   26.8470012345678901
p50       54.5                  54.5
p95       96.5                  96.5
p99       100                   100
first     2012-01-01T00:00:00Z  2012-01-01T00:00:00Z
last      2012-06-08T00:00:00Z  2012-06-08T00:00:00Z
rejected  2                     2
dead      1                     1
They do not agree: rows, mean.  (revision 33)
`, got)
	})
	t.Run("JSON", func(t *testing.T) {
		running.Source, table.Source = hostile, hostile
		got := printed(t, true, show)
		if !strings.HasPrefix(got, `{"running":{"metric":"price",`) || strings.Count(got, "\n") != 1 ||
			!strings.HasSuffix(got, `"agree":false,"differences":["rows","mean"],"groups":[]}`+"\n") {
			t.Errorf("got %s", got)
		}
	})
	c.Differences, table = nil, running
	c.Groups = []store.GroupComparison{
		{By: stats.BySource, Groups: 3, Different: 1, Differences: []store.GroupDifference{{Key: hostile, Figures: []string{"sum", "mean"}}}},
		{By: stats.ByDay, Groups: 151, Different: 2, Differences: []store.GroupDifference{{Key: "2012-01-10", Figures: []string{"buckets"}}}},
	}
	t.Run("groups differ", func(t *testing.T) {
		got := printed(t, false, show)
		_, end, _ := strings.Cut(got, "dead ")
		expect(t, `      1                     1
by source  2 of 3 agree
by day     149 of 151 agree
They do not agree: source `+hostilePrinted+` (sum, mean), day 2012-01-10 (buckets), 1 more by day.  (revision 33)
`, end)
	})
	t.Run("groups differ, JSON", func(t *testing.T) {
		got := printed(t, true, show)
		if !strings.HasSuffix(got, `"agree":false,"groups":[{"by":"source","groups":3,"different":1,"differences":[{"key":"a\u001b[31m\u009b2J\u202eb\nc\u007f.csv","figures":["sum","mean"]}]},`+
			`{"by":"day","groups":151,"different":2,"differences":[{"key":"2012-01-10","figures":["buckets"]}]}]}`+"\n") {
			t.Errorf("got %s", got)
		}
	})
}

func TestSnapshot(t *testing.T) {
	for _, test := range []struct {
		rule  string
		alter func(*stats.Snapshot)
		want  string
	}{
		{"as it is", func(*stats.Snapshot) {}, "revision 33    rows 151     count 147     mean 57.01    min 10    max 100   validation.csv\n"},
		{
			"a name that is no good",
			func(s *stats.Snapshot) { s.Source = hostile },
			"revision 33    rows 151     count 147     mean 57.01    min 10    max 100   " + hostilePrinted + "\n",
		},
		{
			"nothing yet",
			func(s *stats.Snapshot) { *s = stats.Snapshot{} },
			"revision 0     rows 0       count 0       mean -        min -     max -\n",
		},
		{
			"a mean that is cut",
			func(s *stats.Snapshot) { s.Mean = "-0.005000000000000000000000001" },
			"revision 33    rows 151     count 147     mean -0.01    min 10    max 100   validation.csv\n",
		},
	} {
		t.Run(test.rule, func(t *testing.T) {
			s := snapshot()
			test.alter(&s)
			got := printed(t, false, func(p report.Printer) error { return p.Snapshot(&s) })
			expect(t, test.want, got)
		})
	}
	t.Run("JSON", func(t *testing.T) {
		s := snapshot()
		s.Source = hostile
		want, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		expect(t, string(want)+"\n", printed(t, true, func(p report.Printer) error { return p.Snapshot(&s) }))
	})
}

func history() *store.History {
	return &store.History{
		Load: wire.Load{
			Source: "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9", Name: "2012-5.csv", Size: 3029,
			Plan:    wire.Plan{Format: record.Format{Delimiter: ",", Fields: 3, Price: 1, UserID: 2}, BatchSize: 5},
			Batches: 7, Done: 7, Rows: 31, Rejected: 1,
		},
		CreatedAt: "2026-11-23T18:00:00Z", CompletedAt: "2026-11-23T18:00:01Z",
		Before: &store.Extract{Revision: 24, Rows: 112, Count: 108, Mean: "57.8888888888888889", Min: "10", Max: "100"},
		After:  &store.Extract{Revision: 31, Rows: 143, Count: 139, Mean: "57.8848920863309353", Min: "10", Max: "100", Rejected: 1},
	}
}

func TestHistory(t *testing.T) {
	t.Run("complete", func(t *testing.T) {
		got := printed(t, false, func(p report.Printer) error { return p.History(history()) })
		expectNarrow(t, got)
		expect(t, `
2012-5.csv  31 rows, 1 rejected, done
  id      b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9
  before  count 108, mean 57.8888888888888889, min 10, max 100
  after   count 139, mean 57.8848920863309353, min 10, max 100
`, got)
	})
	t.Run("under way, the first of all", func(t *testing.T) {
		h := history()
		h.Name, h.Done, h.CompletedAt, h.After = hostile, 3, "", nil
		h.Before = &store.Extract{}
		got := printed(t, false, func(p report.Printer) error { return p.History(h) })
		expect(t, `
`+hostilePrinted+`  31 rows, 1 rejected, 4 of 7 batches missing
  id      b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9
  before  count 0, mean -, min -, max -
  after   -
`, got)
	})
	t.Run("JSON", func(t *testing.T) {
		h := history()
		h.Name, h.After = hostile, nil
		expect(t, `{"source":"b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9",`+
			`"name":"a\u001b[31m\u009b2J\u202eb\nc\u007f.csv","size":3029,`+
			`"plan":{"delimiter":",","fields":3,"timestamp":0,"price":1,"user_id":2,"batch_size":5},`+
			`"batches":7,"done":7,"rows":31,"rejected":1,`+
			`"created_at":"2026-11-23T18:00:00Z","completed_at":"2026-11-23T18:00:01Z",`+
			`"stats_before":{"revision":24,"rows":112,"count":108,"mean":57.8888888888888889,"min":10,"max":100,"rejected":0},`+
			`"stats_after":null}`+"\n",
			printed(t, true, func(p report.Printer) error { return p.History(h) }))
	})
}

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"":                 "",
		"2012-1.csv":       "2012-1.csv",
		`it's "so".csv`:    `it's "so".csv`,
		"ñandú 水 🌊.csv":    "ñandú 水 🌊.csv",
		hostile:            hostilePrinted,
		"a\u00a0b":         `"a\u00a0b"`,
		"a\xffb":           `"a\xffb"`,
		"\x9b31m":          `"\x9b31m"`,
		"a\ufffdb":         "a\ufffdb",
		"\U000e0041.csv":   `"\U000e0041.csv"`,
		"a\tb\r\n\x00\b\a": `"a\tb\r\n\x00\b\a"`,
	} {
		t.Run(want, func(t *testing.T) { expect(t, want, report.Printable(text)) })
	}
}

type brokenPipe struct{}

var errPipe = errors.New("broken pipe")

func (brokenPipe) Write([]byte) (int, error) { return 0, errPipe }

func TestPrinterReportsWhatCannotBeWritten(t *testing.T) {
	s := snapshot()
	for _, json := range []bool{false, true} {
		p := report.Printer{Out: brokenPipe{}, JSON: json}
		for what, err := range map[string]error{
			"comparison": p.Comparison(&store.Comparison{Running: &s, Table: &s}),
			"snapshot":   p.Snapshot(&s),
			"history":    p.History(history()),
		} {
			if !errors.Is(err, errPipe) {
				t.Errorf("%s, JSON %t: got %v", what, json, err)
			}
		}
	}
}
