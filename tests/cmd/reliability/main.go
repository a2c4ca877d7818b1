// Reliability writes what fault runs showed into a document. It reads the lines
// of JSON that they left (make chaos) and replaces the table between two marks:
//
//	go run ./tests/cmd/reliability runs.jsonl docs/reliability.md
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
)

const (
	begin = "<!-- faults: made by make chaos -->\n"
	end   = "<!-- faults end -->\n"
)

// run is the part of a line that is shown; see package faults.
type run struct {
	Fault       string  `json:"fault"`
	What        string  `json:"what"`
	Seed        uint64  `json:"seed"`
	Failed      bool    `json:"failed"`
	Injected    int     `json:"injected"`
	Processes   int     `json:"processes"`
	Redelivered int64   `json:"redelivered"`
	Absorbed    int64   `json:"absorbed"`
	RecoveredMS []int64 `json:"recovered_ms"`
}

// row sums the runs of a fault.
type row struct {
	what                   string
	seed                   uint64 // of one run, to repeat
	runs, failed, injected int
	processes              int
	redelivered, absorbed  int64
	recovered              []int64
}

func main() {
	if err := write(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "reliability:", err)
		os.Exit(1)
	}
}

func write(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("want the runs' file and the document, got %q", args)
	}
	rows, err := read(args[0])
	if err != nil {
		return err
	}
	document, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	before, rest, found := bytes.Cut(document, []byte(begin))
	_, after, closed := bytes.Cut(rest, []byte(end))
	if !found || !closed {
		return fmt.Errorf("%s lacks the marks %q and %q", args[1], begin, end)
	}
	return os.WriteFile(args[1], slices.Concat(before, []byte(begin), table(rows), []byte(end), after), 0o600)
}

func read(path string) (map[string]*row, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	rows := make(map[string]*row)
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r run
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		sum := rows[r.Fault]
		if sum == nil {
			sum = &row{what: r.What, seed: r.Seed}
			rows[r.Fault] = sum
		}
		sum.runs++
		if r.Failed {
			sum.failed++
		}
		sum.injected += r.Injected
		sum.processes += r.Processes
		sum.redelivered += r.Redelivered
		sum.absorbed += r.Absorbed
		sum.recovered = append(sum.recovered, r.RecoveredMS...)
	}
	return rows, lines.Err()
}

func table(rows map[string]*row) []byte {
	var b bytes.Buffer
	b.WriteString("\n| Fault | Runs | Injected | Redelivered | Absorbed | Recovery p50 | max | Violations | Repeat one |\n" +
		"|---|---:|---:|---:|---:|---:|---:|---:|---|\n")
	var all row
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		r := rows[name]
		slices.Sort(r.recovered)
		median, most := "", ""
		if n := len(r.recovered); n > 0 {
			median, most = seconds(r.recovered[n/2]), seconds(r.recovered[n-1])
		}
		fmt.Fprintf(&b, "| %s: %s | %d | %d | %d | %d | %s | %s | %d | `make chaos FAULTS=%s SEEDS=%d` |\n",
			name, r.what, r.runs, r.injected, r.redelivered, r.absorbed, median, most, r.failed, name, r.seed)
		all.runs += r.runs
		all.failed += r.failed
		all.injected += r.injected
		all.processes += r.processes
		all.redelivered += r.redelivered
		all.absorbed += r.absorbed
	}
	fmt.Fprintf(&b, "| **all** | **%d** | **%d** | **%d** | **%d** | | | **%d** | |\n\n", all.runs, all.injected, all.redelivered, all.absorbed, all.failed)
	fmt.Fprintf(&b, "In these runs %d producers and consumers were started.\n\n", all.processes)
	return b.Bytes()
}

func seconds(ms int64) string {
	return strconv.FormatFloat(float64(ms)/1000, 'f', 2, 64) + " s"
}
