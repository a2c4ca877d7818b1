package faults

import (
	"slices"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/tests/harness"
)

const (
	// stuckTime is how long a run may stand still, in which nothing is stored and
	// nothing else gets done. It may be slow: how fast the machine is, and what else
	// it does, is not what is tried. Longer than any outage with all that is promised
	// after it.
	stuckTime = time.Minute
	// readyTime is what consumers may take to start, the schema included.
	readyTime = 2 * time.Minute
)

// startConsumers waits until all of them take messages in. One that did not reach
// its servers in time, before anything was done to them, is started again.
func (w *world) startConsumers() {
	w.t.Helper()
	for _, c := range w.consumers {
		c.start()
	}
	harness.Eventually(w.t, readyTime, "the consumers are ready", func() (bool, string) {
		for _, c := range w.consumers {
			if c.ended() {
				c.restart()
			}
			if log := c.process.Stderr(); !strings.Contains(log, "msg=ready") {
				return false, c.name + ": " + lastLine(log)
			}
		}
		return true, ""
	})
}

// noteJudged notes the processes whose delays are the machine's.
func (w *world) noteJudged() {
	var pids []int
	for _, k := range append(slices.Clone(w.consumers), w.producer) {
		if k.process != nil {
			pids = append(pids, k.process.PID())
		}
	}
	for _, n := range w.env.Cluster {
		pids = append(pids, n.Process().PID())
	}
	if w.env.Server != nil {
		pids = append(pids, w.env.Server.Process().PID())
	}
	if w.postgres != nil {
		pids = append(pids, w.postgres.server.PID())
	}
	w.judged.Store(&pids)
}

// progress is what changes while a run gets on.
type progress struct {
	revision, stored int64
	loading, done    int
}

func (w *world) progress() progress {
	p := progress{revision: w.revision, stored: w.stored, loading: w.loading}
	for _, e := range w.events {
		if e.done {
			p.done++
		}
	}
	return p
}

// outstanding says whether something is still to be done. What waits for a
// moment that never came is no reason to wait.
func (w *world) outstanding() bool {
	for _, e := range w.events {
		if !e.done {
			return true
		}
	}
	return slices.ContainsFunc(w.consumers, func(k *worker) bool { return k.doomed.Load() })
}
