package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strconv"
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
	UnreadyMS   []int64 `json:"unready_ms"`
	StoppedMS   []int64 `json:"stopped_ms"`
}

// fault sums the runs of one.
type fault struct {
	what                        string
	seed                        uint64 // of one run, to repeat
	runs, failed, injected      int
	processes                   int
	redelivered, absorbed       int64
	recovered, unready, stopped []int64 // milliseconds
}

// faults are all of them, by name.
type faults map[string]*fault

func read(path string) (faults, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	all := make(faults)
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r run
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		all.add(&r)
	}
	return all, lines.Err()
}

func (all faults) add(r *run) {
	f := all[r.Fault]
	if f == nil {
		f = &fault{what: r.What, seed: r.Seed}
		all[r.Fault] = f
	}
	f.runs++
	if r.Failed {
		f.failed++
	}
	f.injected += r.Injected
	f.processes += r.Processes
	f.redelivered += r.Redelivered
	f.absorbed += r.Absorbed
	f.recovered = append(f.recovered, r.RecoveredMS...)
	f.unready = append(f.unready, r.UnreadyMS...)
	f.stopped = append(f.stopped, r.StoppedMS...)
}

func (all faults) runs() (n int) {
	for _, f := range all {
		n += f.runs
	}
	return n
}

var (
	row     = regexp.MustCompile("(?m)^\\| ([a-z-]+): (.+) \\| (\\d+) \\| (\\d+) \\| (\\d+) \\| (\\d+) \\| (\\d+) \\| `make chaos FAULTS=[a-z-]+ SEEDS=(\\d+)` \\|$")
	started = regexp.MustCompile(`In these runs (\d+) producers and consumers were started`)
)

// addTable counts in what a document has, as counts wrote it.
func (all faults) addTable(text []byte) error {
	for _, cells := range row.FindAllSubmatch(text, -1) {
		numbers := make([]int, 0, len(cells))
		for _, cell := range cells[3:] {
			n, err := strconv.Atoi(string(cell))
			if err != nil {
				return err
			}
			numbers = append(numbers, n)
		}
		f := all[string(cells[1])]
		if f == nil {
			f = &fault{what: string(cells[2])}
			all[string(cells[1])] = f
		}
		f.runs += numbers[0]
		f.injected += numbers[1]
		f.redelivered += int64(numbers[2])
		f.absorbed += int64(numbers[3])
		f.failed += numbers[4]
		f.seed = uint64(numbers[5])
	}
	if said := started.FindSubmatch(text); said != nil {
		n, err := strconv.Atoi(string(said[1]))
		if err != nil {
			return err
		}
		for _, f := range all {
			f.processes += n // of one, since only the sum is shown
			return nil
		}
	}
	return nil
}
