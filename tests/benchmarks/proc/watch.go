package proc

import (
	"sync"
	"time"
)

// watchEvery is how often memory is looked at. A look costs some tens of
// microseconds a process.
const watchEvery = 50 * time.Millisecond

// Sample is the resident memory of a group of processes at one moment.
type Sample struct {
	At    time.Time
	Bytes int64
}

// Watch follows the memory of named groups of processes, two consumers for one.
// Group is what it is called in results.
type Watch struct {
	stop chan struct{}
	done sync.WaitGroup

	mu     sync.Mutex
	groups map[string]*group
}

type group struct {
	pids    []int
	tree    bool
	peak    int64
	samples []Sample
}

// NewWatch begins to watch; Stop ends it.
func NewWatch() *Watch {
	w := &Watch{stop: make(chan struct{}), groups: make(map[string]*group)}
	w.done.Go(func() {
		ticker := time.NewTicker(watchEvery)
		defer ticker.Stop()
		for {
			w.look()
			select {
			case <-ticker.C:
			case <-w.stop:
				w.look()
				return
			}
		}
	})
	return w
}

// Add puts a process into a group. The peak of a group is the largest of its
// processes': VmHWM, so that no peak falls between two looks.
func (w *Watch) Add(name string, pid int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	g := w.groups[name]
	if g == nil {
		g = new(group)
		w.groups[name] = g
	}
	g.pids = append(g.pids, pid)
}

// AddTree makes a group of a process and its children, sharing memory. Its peak
// is the highest of what was seen.
func (w *Watch) AddTree(name string, pid int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.groups[name] = &group{pids: []int{pid}, tree: true}
}

// Stop ends the watch and returns each group's peak in bytes and its samples.
func (w *Watch) Stop() (peaks map[string]int64, samples map[string][]Sample) {
	close(w.stop)
	w.done.Wait()
	peaks, samples = make(map[string]int64), make(map[string][]Sample)
	for name, g := range w.groups {
		peaks[name], samples[name] = g.peak, g.samples
	}
	return peaks, samples
}

func (w *Watch) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	for _, g := range w.groups {
		var resident int64
		if g.tree {
			bytes, err := treeMemory(g.pids[0])
			if err != nil {
				continue
			}
			resident, g.peak = bytes, max(g.peak, bytes)
		} else {
			for _, pid := range g.pids {
				m, err := readMemory(pid)
				if err != nil {
					continue // has ended
				}
				resident, g.peak = resident+m.resident, max(g.peak, m.peak)
			}
		}
		if resident > 0 {
			g.samples = append(g.samples, Sample{now, resident})
		}
	}
}
