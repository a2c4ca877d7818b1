// Package faults breaks what the pair stands on, at moments drawn from a seed,
// and checks that every record is stored once all the same, that the statistics
// are the table's, and that work resumes in time.
package faults

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/tests/harness"
)

var (
	seeds      = flag.String("seeds", "", "seeds of the runs, as in 7 or 1-100; none runs the fixed selection")
	only       = flag.String("faults", "", "names of faults, with commas between; none means all")
	outputFile = flag.String("journal", "", "file to which each run adds a line of JSON")
)

// sideBySide is how many runs are under way at a time. They mostly wait: for
// AckWait, or for an outage to end. What a run does between is a hundred steps of
// one process after the other for each commit, so that more runs than this make
// all of them slow on a machine with few processors.
var sideBySide = min(2*runtime.NumCPU(), 8)

func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", strconv.Itoa(sideBySide)); err != nil {
		panic(err)
	}
	code := harness.Main(m)
	shiftedPrograms.remove()
	os.Exit(code)
}

// TestFaults runs each scenario once for each seed. A run that failed is
// repeated by its name and seed: make chaos FAULTS=name SEEDS=seed.
func TestFaults(t *testing.T) {
	first, last := seedRange(t)
	chosen := chooseScenarios(t)
	for seed := first; seed <= last; seed++ {
		for _, s := range chosen {
			t.Run(fmt.Sprintf("%s/%d", s.name, seed), func(t *testing.T) {
				t.Parallel()
				newWorld(t, s, seed).run()
			})
		}
	}
}

func seedRange(t *testing.T) (first, last uint64) {
	t.Helper()
	if *seeds == "" {
		return 1, 1
	}
	from, to, several := strings.Cut(*seeds, "-")
	if !several {
		to = from
	}
	var err, other error
	first, err = strconv.ParseUint(from, 10, 64)
	last, other = strconv.ParseUint(to, 10, 64)
	if err != nil || other != nil || last < first {
		t.Fatalf("-seeds %s: want a number, or two with a hyphen between, the smaller first", *seeds)
	}
	return first, last
}

func chooseScenarios(t *testing.T) []scenario {
	t.Helper()
	switch {
	case *only == "" && *seeds == "":
		return slices.DeleteFunc(slices.Clone(scenarios), func(s scenario) bool { return s.asked })
	case *only == "":
		return scenarios
	}
	var chosen []scenario
	for name := range strings.SplitSeq(*only, ",") {
		found := false
		for _, s := range scenarios {
			if s.name == name {
				chosen, found = append(chosen, s), true
			}
		}
		if !found {
			var names []string
			for _, s := range scenarios {
				names = append(names, s.name)
			}
			t.Fatalf("-faults %s: there is no %q among %s", *only, name, strings.Join(names, ", "))
		}
	}
	return chosen
}
