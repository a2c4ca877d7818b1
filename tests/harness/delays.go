package harness

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"
)

// delayInterval is how often Delays looks.
const delayInterval = 100 * time.Millisecond

// tolerated is how many times what is promised a thing may take at most, however
// much of that the machine was to blame for.
const tolerated = 3

// Delays notes for how long some processes could have run and did not, since no
// processor was free for them: what they take longer for that is not theirs. A
// process that sleeps, or waits for a lock or an answer, is not delayed, so that
// one that hangs stands out on a loaded machine too. On other systems than Linux
// it notes nothing. Safe for concurrent use.
type Delays struct {
	processes func() []int

	mu      sync.Mutex
	looks   []look
	threads map[string]time.Duration // by their folder in /proc
	stolen  time.Duration
}

// look is what came about since the one before.
type look struct {
	at      time.Time
	delayed time.Duration
}

// WatchDelays begins to look at the processes that the function tells the ids of,
// which may change, and ends with the test.
func WatchDelays(t testing.TB, processes func() []int) *Delays {
	t.Helper()
	d := &Delays{processes: processes, threads: make(map[string]time.Duration)}
	d.look()
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(delayInterval)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				d.look()
			}
		}
	}()
	t.Cleanup(func() {
		close(stop)
		<-ended
	})
	return d
}

func (d *Delays) look() {
	pids := d.processes()
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	seen := make(map[string]time.Duration, len(d.threads))
	var sum time.Duration
	for _, pid := range pids {
		folders, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid)) // none where it has ended
		for _, folder := range folders {
			waited, ok := runDelay(folder)
			if !ok {
				continue
			}
			seen[folder] = waited
			if before, known := d.threads[folder]; known {
				sum += max(0, waited-before)
			} else if len(d.looks) > 0 {
				sum += waited
			}
		}
	}
	stolen := stolenTime()
	sum += (stolen - d.stolen) / time.Duration(runtime.NumCPU())
	d.threads, d.stolen = seen, stolen
	if len(d.looks) > 0 {
		// Threads wait side by side, but time passes once.
		sum = min(sum, now.Sub(d.looks[len(d.looks)-1].at))
	} else {
		sum = 0
	}
	d.looks = append(d.looks, look{now, sum})
}

// Between is for how long one of the processes or another was delayed from one
// time to another: of what happened meanwhile, no more than that is the machine's.
func (d *Delays) Between(from, to time.Time) time.Duration {
	d.look()
	d.mu.Lock()
	defer d.mu.Unlock()
	var sum time.Duration
	for i := 1; i < len(d.looks); i++ {
		begin, end := d.looks[i-1].at, d.looks[i].at
		within := later(begin, from)
		if overlap := earlier(end, to).Sub(within); overlap > 0 {
			sum += min(d.looks[i].delayed, overlap)
		}
	}
	return sum
}

// Keeps judges what happened between two times, and was promised within so long
// of processes that get to run. What it returns is empty where the promise was
// kept without more ado. Otherwise it tells the times; broken says that the
// machine does not account for it.
func (d *Delays) Keeps(from, to time.Time, promised time.Duration) (told string, broken bool) {
	took := to.Sub(from)
	if took <= promised {
		return "", false
	}
	delayed := d.Between(from, to)
	told = fmt.Sprintf("%d ms, of them %d ms in which a process waited for a processor; %d ms are promised",
		took.Milliseconds(), delayed.Milliseconds(), promised.Milliseconds())
	return told, took-delayed > promised || took > tolerated*promised
}

// runDelay is for how long a thread has waited on a run queue since it began, the
// second number of its schedstat.
func runDelay(folder string) (time.Duration, bool) {
	content, err := os.ReadFile(filepath.Join(folder, "schedstat"))
	if err != nil {
		return 0, false
	}
	fields := bytes.Fields(content)
	if len(fields) < 2 {
		return 0, false
	}
	ns, err := strconv.ParseInt(string(fields[1]), 10, 64)
	return time.Duration(ns), err == nil
}

// stolenTime is what other virtual machines had of this one's processors, 0 where
// that is not told.
func stolenTime() time.Duration {
	const (
		steal = 8                     // of the fields of the first line, as proc(5) has them
		tick  = 10 * time.Millisecond // of USER_HZ
	)
	content, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	first, _, _ := bytes.Cut(content, []byte("\n"))
	fields := bytes.Fields(first)
	if len(fields) <= steal {
		return 0
	}
	ticks, err := strconv.ParseInt(string(fields[steal]), 10, 64)
	if err != nil {
		return 0
	}
	return time.Duration(ticks) * tick
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
