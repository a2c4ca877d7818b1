package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// counts is the table of how often what happened.
func (all faults) counts() []byte {
	var b bytes.Buffer
	b.WriteString("\n| Fault | Runs | Injected | Redelivered | Absorbed | Violations | Repeat one |\n|---|---:|---:|---:|---:|---:|---|\n")
	var sum fault
	for _, name := range slices.Sorted(maps.Keys(all)) {
		f := all[name]
		fmt.Fprintf(&b, "| %s: %s | %d | %d | %d | %d | %d | `make chaos FAULTS=%s SEEDS=%d` |\n",
			name, f.what, f.runs, f.injected, f.redelivered, f.absorbed, f.failed, name, f.seed)
		sum.runs += f.runs
		sum.failed += f.failed
		sum.injected += f.injected
		sum.processes += f.processes
		sum.redelivered += f.redelivered
		sum.absorbed += f.absorbed
	}
	fmt.Fprintf(&b, "| **all** | **%d** | **%d** | **%d** | **%d** | **%d** | |\n\n", sum.runs, sum.injected, sum.redelivered, sum.absorbed, sum.failed)
	fmt.Fprintf(&b, "In these runs %d producers and consumers were started.\n\n", sum.processes)
	return b.Bytes()
}

// times is the table of how long things took, in so many runs.
func (all faults) times(runs int) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "Times in seconds, p50 / p95 / max, of the last %d runs:\n\n", runs)
	b.WriteString("| Fault | Work resumed | Not ready after | Ended after SIGTERM |\n|---|---:|---:|---:|\n")
	var sum fault
	for _, name := range slices.Sorted(maps.Keys(all)) {
		f := all[name]
		if len(f.recovered)+len(f.unready)+len(f.stopped) == 0 {
			continue
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", name, spread(f.recovered), spread(f.unready), spread(f.stopped))
		sum.recovered = append(sum.recovered, f.recovered...)
		sum.unready = append(sum.unready, f.unready...)
		sum.stopped = append(sum.stopped, f.stopped...)
	}
	fmt.Fprintf(&b, "| **all** | %s | %s | %s |\n\n", spread(sum.recovered), spread(sum.unready), spread(sum.stopped))
	return b.Bytes()
}

// spread is the median, the 95th percentile and the most of some milliseconds, in
// seconds.
func spread(ms []int64) string {
	if len(ms) == 0 {
		return ""
	}
	sorted := slices.Sorted(slices.Values(ms))
	n := len(sorted)
	return seconds(sorted[n/2]) + " / " + seconds(sorted[min(n-1, n*95/100)]) + " / " + seconds(sorted[n-1])
}

func seconds(ms int64) string { return strconv.FormatFloat(float64(ms)/1000, 'f', 2, 64) }
