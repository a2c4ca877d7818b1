package present

import (
	"fmt"
	"strings"

	"github.com/streamgauge/streamgauge/tests/benchmarks/contend"
	"github.com/streamgauge/streamgauge/tests/benchmarks/result"
)

// figure is something the pair is built to reach.
type figure struct {
	name        string
	floor, goal string
	// measured returns "" for what was not measured.
	measured func(*result.Report) string
}

// decodePackage has the benchmark of what the consumer does to each record.
const decodePackage = "consumer/internal/decode"

// figures are the ones that were set before anything was measured.
var figures = []figure{
	{"the pair ÷ COPY, three plain columns", "1.25", "1.5", over(contend.KeyPair, contend.KeyCopyPlain)},
	{`the pair ÷ psql \\copy, three plain columns`, "", "", over(contend.KeyPair, contend.KeyPsql)},
	{"the pair ÷ COPY into `prices`", "1.5", "2", over(contend.KeyPair, contend.KeyCopyPrices)},
	{"the pair ÷ COPY over two connections, plain", "0.8", "1.0", over(contend.KeyPair, contend.KeyTwoPlain)},
	{"the pair ÷ COPY over two connections, into `prices`", "", "", over(contend.KeyPair, contend.KeyTwoPrices)},
	{"the pair ÷ binary COPY over two connections", "0.7", "0.9", over(contend.KeyPair, contend.KeyBinary)},
	{"batches of 100 ÷ COPY, three plain columns", "0.7", "1.0", over(contend.KeyPair100, contend.KeyCopyPlain)},
	{"CPU seconds for a million rows, all four processes", "≤ 1.2", "0.9", func(r *result.Report) string {
		c, has := r.Contender(contend.KeyPair)
		if !has {
			return ""
		}
		return spread(c.Over(result.Run.CPU))
	}},
	{"producer alone, publishing, M rows/s", "4", "6", func(r *result.Report) string {
		c, has := r.Contender(contend.KeyProducer)
		if !has {
			return ""
		}
		whole := c.Over(func(run result.Run) float64 { return float64(run.Rows) / run.ProcessSeconds / 1e6 })
		return fmt.Sprintf("%s; from its start to its end %s", spread(c.Over(func(run result.Run) float64 { return run.Rate() / 1e6 })), spread(whole))
	}},
	{"strict record parse and encode, one core, M rows/s", "4, 0 allocations", "8", func(r *result.Report) string {
		for _, m := range r.Micro {
			if rate := m.Medians["rows/s"]; rate > 0 && m.Package == decodePackage {
				return fmt.Sprintf("%.2f, %.0f allocations in a whole batch", rate/1e6, m.Medians["allocs/op"])
			}
		}
		return ""
	}},
	{"peak RSS of the producer, MB", "< 64", "half", peak(result.Producer)},
	{"peak RSS of the consumer, MB", "< 128", "half", peak(result.Consumer)},
	{"long load: last quarter ÷ first", "0.9", "1.0", func(r *result.Report) string {
		var all []string
		for _, g := range r.Growth {
			if len(all) == 0 {
				all = append(all, fmt.Sprintf("%.2f", g.Flat()))
			} else {
				all = append(all, fmt.Sprintf("%s: %.2f", g.Title, g.Flat()))
			}
		}
		return strings.Join(all, "; ")
	}},
	{"latency p99, 10,000 rows/s in batches of 100, ms", "< 50", "< 15", func(r *result.Report) string {
		if len(r.Latency) == 0 {
			return ""
		}
		l := r.Latency[0]
		return fmt.Sprintf("%.1f (the disk's fsync p99: %.2f)", l.PublishToAnnounce.P99, l.Fsync.P99)
	}},
	{"consumer's start to ready, schema current, ms", "< 300", "< 100", func(r *result.Report) string {
		if r.Start == nil {
			return ""
		}
		return fmt.Sprintf("%.0f (most %.0f)", r.Start.ToReady.P50, r.Start.ToReady.Max)
	}},
}

func over(key, base string) func(*result.Report) string {
	return func(r *result.Report) string {
		c, has := r.Contender(key)
		b, hasBase := r.Contender(base)
		if !has || !hasBase {
			return ""
		}
		return spread(c.Ratio(b))
	}
}

// peak is the most of every run, the long ones included.
func peak(process string) func(*result.Report) string {
	return func(r *result.Report) string {
		var most int64
		for _, c := range r.Contenders {
			for _, run := range c.Runs {
				most = max(most, run.PeakBytes[process])
			}
		}
		text := ""
		if most > 0 {
			text = fmt.Sprintf("%.0f with %s rows", float64(most)/1e6, thousands(r.Rows))
		}
		for _, g := range r.Growth {
			if bytes := g.Run.PeakBytes[process]; bytes > 0 {
				text += fmt.Sprintf("; %.0f with %s rows", float64(bytes)/1e6, thousands(g.Run.Rows))
			}
		}
		return strings.TrimPrefix(text, "; ")
	}
}

func writeFigures(b *strings.Builder, r *result.Report) {
	b.WriteString("| figure | floor | goal | measured: median (least–most) |\n|---|---:|---:|---|\n")
	for _, f := range figures {
		measured := f.measured(r)
		if measured == "" {
			measured = "not measured"
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", f.name, f.floor, f.goal, measured)
	}
	b.WriteString("\n")
}
