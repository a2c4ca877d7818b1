package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/shared/stats"
)

const (
	// sparks is how many means the line of them shows.
	sparks = 60
	// rateOver is the time over which rows a second are counted.
	rateOver = 5 * time.Second
)

// Live draws the statistics on a terminal, each time over what it drew before.
// It is not safe for concurrent use.
type Live struct {
	Out io.Writer
	// Now is the clock; nil means the real one.
	Now func() time.Time

	drawn bool
	means []float64
	seen  []sample
}

type sample struct {
	at   time.Time
	rows int64
}

// Snapshot draws one.
func (l *Live) Snapshot(s *stats.Snapshot) error {
	if mean, err := strconv.ParseFloat(string(s.Mean), 64); err == nil {
		l.means = append(l.means, mean)
		l.means = l.means[max(0, len(l.means)-sparks):]
	}
	lines := []string{
		fmt.Sprintf("revision  %-20d  source    %s", s.Revision, Printable(s.Source)),
		fmt.Sprintf("rows      %-20d  rows/s    %s", s.Rows, l.rate(s.Rows)),
		fmt.Sprintf("count     %-20d  rejected  %d, dead %d", s.Count, s.Rejected, s.Dead),
		fmt.Sprintf("min       %-20s  max       %s", value(s.Min), value(s.Max)),
		fmt.Sprintf("mean      %-20s  stddev    %s", value(s.Mean), value(s.StdDev)),
		fmt.Sprintf("p50       %-20s  p95, p99  %s, %s", value(s.P50), value(s.P95), value(s.P99)),
		"          " + sparkline(l.means),
	}
	var b strings.Builder
	if l.drawn {
		fmt.Fprintf(&b, "\x1b[%dA", len(lines))
	}
	l.drawn = true
	for _, line := range lines {
		b.WriteString("\r" + fit(line, width) + "\x1b[K\n")
	}
	_, err := io.WriteString(l.Out, b.String())
	return err
}

// rate is the rows a second of the last snapshots, empty where there is but one.
func (l *Live) rate(rows int64) string {
	now := time.Now
	if l.Now != nil {
		now = l.Now
	}
	at := now()
	l.seen = append(l.seen, sample{at, rows})
	for len(l.seen) > 2 && at.Sub(l.seen[0].at) > rateOver {
		l.seen = l.seen[1:]
	}
	first := l.seen[0]
	took := at.Sub(first.at).Seconds()
	if took <= 0 {
		return "-"
	}
	return strconv.FormatFloat(float64(rows-first.rows)/took, 'f', 0, 64)
}

// sparkline draws values between the least and the greatest of them.
func sparkline(values []float64) string {
	const levels = "▁▂▃▄▅▆▇█"
	steps := []rune(levels)
	if len(values) == 0 {
		return ""
	}
	least, most := values[0], values[0]
	for _, v := range values {
		least, most = min(least, v), max(most, v)
	}
	var b strings.Builder
	for _, v := range values {
		level := len(steps) / 2
		if most > least {
			level = int((v - least) / (most - least) * float64(len(steps)-1))
		}
		b.WriteRune(steps[level])
	}
	return b.String()
}
