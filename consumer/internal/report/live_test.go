package report_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/consumer/internal/report"
	"github.com/streamgauge/streamgauge/shared/stats"
)

// screen is what a terminal shows of text that moves the cursor up and clears
// to the end of lines.
func screen(text string) []string {
	var lines []string
	row := 0
	for text != "" {
		var up int
		if n, err := fmt.Sscanf(text, "\x1b[%dA", &up); n == 1 && err == nil {
			row -= up
			_, text, _ = strings.Cut(text, "A")
			continue
		}
		var line string
		line, text, _ = strings.Cut(text, "\n")
		for len(lines) <= row {
			lines = append(lines, "")
		}
		lines[row] = strings.TrimSuffix(strings.TrimPrefix(line, "\r"), "\x1b[K")
		row++
	}
	return lines
}

// TestLive: one table, drawn over itself, in 80 columns.
func TestLive(t *testing.T) {
	var out strings.Builder
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	live := report.Live{Out: &out, Now: func() time.Time { return at }}
	s := snapshot()
	for i, mean := range []string{"10", "20", "15", "80"} {
		s.Revision, s.Rows, s.Mean, s.Source = int64(i+1), int64(i+1)*500, stats.Number(mean), "a\x1b[31m.csv"
		if err := live.Snapshot(&s); err != nil {
			t.Fatal(err)
		}
		at = at.Add(500 * time.Millisecond)
	}
	want := []string{
		`revision  4                     source    "a\x1b[31m.csv"`,
		"rows      2000                  rows/s    1000",
		fmt.Sprintf("count     %-20d  rejected  %d, dead %d", s.Count, s.Rejected, s.Dead),
		fmt.Sprintf("min       %-20s  max       %s", s.Min, s.Max),
		fmt.Sprintf("mean      %-20s  stddev    %s", "80", s.StdDev),
		"p50       54.5                  p95, p99  96.5, 100",
		"          ▁▂▁█",
	}
	if diff := cmp.Diff(want, screen(out.String())); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}
	s.Source = strings.Repeat("long", 60)
	for range 100 {
		if err := live.Snapshot(&s); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range screen(out.String()) {
		if n := len([]rune(line)); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}
