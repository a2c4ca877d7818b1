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
	if seed, given := number(t, "SEED"); given {
		s := play(t, seed, true)
		t.Logf("seed %d:\n%s", seed, strings.Join(s.lines, "\n"))
		tell(t, seed, s.violations, s.lines)
		return
	}
	schedules, first := uint64(byDefault), uint64(1)
	if n, given := number(t, "SCHEDULES"); given {
		schedules = n
	}
	if n, given := number(t, "FIRST"); given {
		first = n
	}
	// Nearly all of it is garbage at once.
	defer debug.SetGCPercent(debug.SetGCPercent(800))
	began := time.Now()
	var next, played, failed atomic.Uint64
	var latest atomic.Int64
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
				for late := int64(s.stopped.Sub(s.calm)); ; {
					if known := latest.Load(); late <= known || latest.CompareAndSwap(known, late) {
						break
					}
				}
				if len(s.violations) > 0 {
					failed.Add(1)
					// A replay without violations does not undo them.
					tell(t, seed, s.violations, play(t, seed, true).lines)
				}
			}
		})
	}
	group.Wait()
	took := time.Since(began)
	t.Logf("%d schedules of a producer from seed %d on, in %v, %.0f a minute: %d with violations; the last producer ended %v after the last fault at most",
		played.Load(), first, took.Round(time.Millisecond), float64(played.Load())/took.Minutes(), failed.Load(),
		time.Duration(latest.Load()).Round(time.Millisecond))
	if failed.Load() >= mostFailures && played.Load() < schedules {
		t.Errorf("%d of %d schedules were not played, since so many had failed", schedules-played.Load(), schedules)
	}
}

// TestReplays plays schedules twice: the same has to happen at the same time.
func TestReplays(t *testing.T) {
	for seed := range uint64(300) {
		one, two := play(t, seed, true), play(t, seed, true)
		// What two producers do at the same moment has no order.
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

// number is what an environment variable says, if it says anything.
func number(t *testing.T, variable string) (n uint64, given bool) {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return 0, false
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n, true
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

func tell(t *testing.T, seed uint64, violations, lines []string) {
	t.Helper()
	if len(violations) > 0 {
		t.Errorf("seed %d: %s\n%s\nmake sim SIDE=producer SEED=%d replays it", seed, strings.Join(violations, "; "), strings.Join(lines, "\n"), seed)
	}
}

// excerpt is a line and those around it.
func excerpt(lines []string, at int) string {
	return strings.Join(lines[max(0, at-8):min(len(lines), at+3)], "\n")
}
