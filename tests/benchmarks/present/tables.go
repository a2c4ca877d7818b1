// Package present shows a report: as tables in Markdown, as a plot, as JSON.
package present

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/streamgauge/streamgauge/tests/benchmarks/contend"
	"github.com/streamgauge/streamgauge/tests/benchmarks/result"
)

// Tables returns the whole report in Markdown, without a heading of its own.
func Tables(r *result.Report) string {
	var b strings.Builder
	writeMachine(&b, r)
	writeFigures(&b, r)
	writeContenders(&b, r)
	writeMemory(&b, r)
	writeLatency(&b, r)
	writeGrowth(&b, r)
	writeMicro(&b, r)
	return b.String()
}

func writeMachine(b *strings.Builder, r *result.Report) {
	m := r.Machine
	fmt.Fprintf(b, "Measured %s to %s, version %s.\n\n", r.Began, r.Ended, r.Version)
	fmt.Fprintf(b, "- Machine: %d cores (%s), %.1f GB of memory, %s; %s; load average %s at the start, %s at the end\n",
		m.Cores, m.CPU, float64(m.MemoryBytes)/1e9, m.Disk, m.System, m.LoadBegan, m.LoadEnded)
	fmt.Fprintf(b, "- Disk: making one page durable takes %.2f ms (median), %.2f ms (p99), %.2f ms (most of %d)\n",
		m.Fsync.P50, m.Fsync.P99, m.Fsync.Max, m.Fsync.Count)
	fmt.Fprintf(b, "- Software: PostgreSQL %s, nats-server %s, %s\n", m.Postgres, m.NATS, m.Go)
	changed := "all of them defaults"
	if len(m.Changed) > 0 {
		changed = "changed from their defaults: " + strings.Join(slices.Sorted(maps.Keys(m.Changed)), ", ")
	}
	fmt.Fprintf(b, "- PostgreSQL's settings, %s:", changed)
	for i, name := range slices.Sorted(maps.Keys(m.Settings)) {
		separator := ","
		if i == 0 {
			separator = ""
		}
		fmt.Fprintf(b, "%s `%s = %s`", separator, name, m.Settings[name])
	}
	b.WriteString("\n\n")
}

func writeContenders(b *strings.Builder, r *result.Report) {
	base, hasBase := r.Contender(contend.KeyCopyPlain)
	prices, hasPrices := r.Contender(contend.KeyCopyPrices)
	if len(r.Contenders) == 0 || r.Rounds == 0 {
		return
	}
	fmt.Fprintf(b, "%s rows, rounds: %d. Rows/s in millions: median (least–most). Ratios are taken round by round. "+
		"CPU seconds for a million rows, by process.\n\n", thousands(r.Rows), r.Rounds)
	b.WriteString("| | M rows/s | ÷ COPY, plain | ÷ COPY into `prices` | CPU s | producer | broker | consumer | PostgreSQL | client |\n")
	b.WriteString("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, c := range r.Contenders {
		if len(c.Runs) == 0 {
			continue
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %.2f |", escape(c.Title), spread(c.Over(func(run result.Run) float64 { return run.Rate() / 1e6 })),
			ratio(c, base, hasBase), ratio(c, prices, hasPrices), c.Over(result.Run.CPU).Median)
		for _, name := range result.Processes {
			b.WriteString(" " + perMillion(c, name) + " |")
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
}

func perMillion(c result.Contender, process string) string {
	if _, has := c.Runs[0].CPUSeconds[process]; !has {
		return ""
	}
	return fmt.Sprintf("%.2f", c.Over(func(run result.Run) float64 {
		return run.CPUSeconds[process] / float64(run.Rows) * 1e6
	}).Median)
}

func writeMemory(b *strings.Builder, r *result.Report) {
	fmt.Fprintf(b, "Peak resident memory in MB, the most of all rounds. PostgreSQL's is what its processes have to themselves, and the shared buffers once.\n\n")
	b.WriteString("| | producer | broker | consumer | PostgreSQL | client |\n|---|---:|---:|---:|---:|---:|\n")
	row := func(title string, runs []result.Run) {
		if len(runs) == 0 {
			return
		}
		fmt.Fprintf(b, "| %s |", escape(title))
		for _, name := range result.Processes {
			var most int64
			for _, run := range runs {
				most = max(most, run.PeakBytes[name])
			}
			if most == 0 {
				b.WriteString(" |")
			} else {
				fmt.Fprintf(b, " %d |", (most+500_000)/1_000_000)
			}
		}
		b.WriteString("\n")
	}
	for _, c := range r.Contenders {
		row(c.Title, c.Runs)
	}
	for _, g := range r.Growth {
		row(fmt.Sprintf("%s: %s rows", g.Title, thousands(g.Run.Rows)), []result.Run{g.Run})
	}
	b.WriteString("\n")
}

func writeLatency(b *strings.Builder, r *result.Report) {
	if len(r.Latency) > 0 {
		b.WriteString("From a batch's publish to the snapshot that counts its rows, in milliseconds; beside it, the disk's time to make one page durable, measured directly before.\n\n")
		b.WriteString("| | batches | p50 | p99 | most | fsync p50 | fsync p99 |\n|---|---:|---:|---:|---:|---:|---:|\n")
		for _, l := range r.Latency {
			t := l.PublishToAnnounce
			fmt.Fprintf(b, "| %s, %.0f s without the first %.0f | %s | %.1f | %.1f | %.1f | %.2f | %.2f |\n",
				l.Title, l.Seconds, l.Dropped, thousands(int64(t.Count)), t.P50, t.P99, t.Max, l.Fsync.P50, l.Fsync.P99)
		}
		b.WriteString("\n")
	}
	if r.Start != nil {
		t := r.Start.ToReady
		fmt.Fprintf(b, "A consumer is ready %.0f ms after its start (median of %d; most %.0f), the schema being current.\n\n", t.P50, t.Count, t.Max)
	}
}

func writeGrowth(b *strings.Builder, r *result.Report) {
	if len(r.Growth) == 0 {
		return
	}
	fmt.Fprintf(b, "One long load of %s rows, in millions of rows/s by quarters of the rows.\n\n", thousands(r.Growth[0].Run.Rows))
	b.WriteString("| | all | 1st | 2nd | 3rd | 4th | 4th ÷ 1st |\n|---|---:|---:|---:|---:|---:|---:|\n")
	for _, g := range r.Growth {
		fmt.Fprintf(b, "| %s | %.2f |", escape(g.Title), g.Run.Rate()/1e6)
		for _, q := range g.Quarters {
			fmt.Fprintf(b, " %.2f |", q/1e6)
		}
		fmt.Fprintf(b, " %.2f |\n", g.Flat())
	}
	b.WriteString("\n")
}

func writeMicro(b *strings.Builder, r *result.Report) {
	if len(r.Micro) == 0 {
		return
	}
	b.WriteString("Single steps on one core, medians of Go benchmarks.\n\n")
	b.WriteString("| | ns/op | M rows/s | MB/s | allocs/op |\n|---|---:|---:|---:|---:|\n")
	for _, m := range r.Micro {
		fmt.Fprintf(b, "| `%s` %s | %s | %s | %s | %s |\n", m.Package, escape(m.Name),
			cell(m, "ns/op", 1), cell(m, "rows/s", 1e-6), cell(m, "MB/s", 1), cell(m, "allocs/op", 1))
	}
	b.WriteString("\n")
}

func cell(m result.Micro, unit string, by float64) string {
	value, has := m.Medians[unit]
	if !has {
		return ""
	}
	if value*by >= 100 || value == 0 {
		return thousands(int64(value*by + 0.5))
	}
	return fmt.Sprintf("%.1f", value*by)
}

func ratio(c, base result.Contender, has bool) string {
	if !has || c.Key == base.Key {
		return ""
	}
	return spread(c.Ratio(base))
}

func spread(s result.Spread) string { return fmt.Sprintf("%.2f (%.2f–%.2f)", s.Median, s.Min, s.Max) }

// escape keeps a backslash from being Markdown's.
func escape(text string) string { return strings.ReplaceAll(text, `\`, `\\`) }

// thousands writes 2000000 as 2,000,000.
func thousands(n int64) string {
	text := fmt.Sprint(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
