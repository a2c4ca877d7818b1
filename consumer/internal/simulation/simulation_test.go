package simulation

import (
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// byDefault is how many schedules are played where SCHEDULES says nothing.
const byDefault = 1000

// mostFailures end the run: they are likely one and the same.
const mostFailures = 10

// TestSchedules plays SCHEDULES schedules, or the one of SEED and shows it.
func TestSchedules(t *testing.T) {
	if seed := os.Getenv("SEED"); seed != "" {
		n, err := strconv.ParseUint(seed, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		s := play(t, n, true)
		t.Logf("seed %d:\n%s", n, strings.Join(s.lines, "\n"))
		report(t, n, s.violations, s.lines)
		return
	}
	schedules, first := uint64(byDefault), uint64(1)
	if given := os.Getenv("SCHEDULES"); given != "" {
		var err error
		if schedules, err = strconv.ParseUint(given, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	if given := os.Getenv("FIRST"); given != "" {
		var err error
		if first, err = strconv.ParseUint(given, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	// Nearly all of it is garbage at once.
	defer debug.SetGCPercent(debug.SetGCPercent(800))
	began := time.Now()
	var next, played, failed atomic.Uint64
	next.Store(first - 1)
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for failed.Load() < mostFailures {
				seed := next.Add(1)
				if seed >= first+schedules {
					return
				}
				s := play(t, seed, false)
				played.Add(1)
				if len(s.violations) > 0 {
					failed.Add(1)
					// A replay without violations does not undo them.
					report(t, seed, s.violations, play(t, seed, true).lines)
				}
			}
		})
	}
	group.Wait()
	took := time.Since(began)
	t.Logf("%d schedules of consumers from seed %d on, in %v, %.0f a minute: %d with violations", played.Load(), first,
		took.Round(time.Millisecond), float64(played.Load())/took.Minutes(), failed.Load())
	if failed.Load() >= mostFailures && played.Load() < schedules {
		t.Errorf("%d of %d schedules were not played, since so many had failed", schedules-played.Load(), schedules)
	}
}

// TestReplays plays schedules twice: the same has to happen at the same time.
func TestReplays(t *testing.T) {
	for seed := range uint64(300) {
		one, two := play(t, seed, true), play(t, seed, true)
		// What takes no time, such as finding out that nothing was sent, has no order.
		slices.Sort(one.lines)
		slices.Sort(two.lines)
		if slices.Equal(one.lines, two.lines) {
			continue
		}
		for i := range min(len(one.lines), len(two.lines)) {
			if one.lines[i] != two.lines[i] {
				t.Errorf("seed %d differs from line %d on:\n%s\nand\n%s", seed, i, excerpt(one.lines, i), excerpt(two.lines, i))
				break
			}
		}
	}
}

func play(t *testing.T, seed uint64, trace bool) *schedule {
	t.Helper()
	var s *schedule
	synctest.Test(t, func(t *testing.T) {
		s = newSchedule(seed)
		s.on = trace
		s.run(t)
	})
	return s
}

func report(t *testing.T, seed uint64, violations, lines []string) {
	t.Helper()
	if len(violations) > 0 {
		t.Errorf("seed %d: %s\n%s\nmake sim SIDE=consumer SEED=%d replays it", seed, strings.Join(violations, "; "), strings.Join(lines, "\n"), seed)
	}
}

// excerpt is a line and those around it.
func excerpt(lines []string, at int) string {
	return strings.Join(lines[max(0, at-8):min(len(lines), at+3)], "\n")
}
