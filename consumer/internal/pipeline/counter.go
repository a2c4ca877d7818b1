package pipeline

import (
	"log/slog"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/shared/stats"
)

// reportEvery is how often progress is logged while there is some.
const reportEvery = time.Second

// remindEvery is how often the same source's ignored batches are logged.
const remindEvery = 10 * time.Second

// counter counts what became of messages and logs it, not more often than
// people can read. It is safe for concurrent use.
type counter struct {
	logger *slog.Logger

	mu       sync.Mutex
	sum      totals
	snapshot *stats.Snapshot
	reported time.Time
	pending  *time.Timer
	reminded map[string]time.Time
}

// totals are in messages, but for rows and rejects.
type totals struct {
	batches, rows, rejects, repeated, superseded, refused, retired, dead int64
}

func newCounter(logger *slog.Logger) *counter {
	return &counter{logger: logger, reminded: make(map[string]time.Time)}
}

func (c *counter) stored(b *store.Batch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sum.batches++
	c.sum.rows += b.Tally.Rows
	c.sum.rejects += int64(len(b.Rejects))
}

func (c *counter) repeated() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sum.repeated++
}

func (c *counter) superseded(b *store.Batch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sum.superseded++
	if c.remind(b.Source.Identity) {
		c.logger.Warn("batches of a plan that has been superseded are ignored: the source is being loaded with other options. "+
			"Run the same producer command again with --wait and it adopts them",
			"name", b.Source.Name, "source", b.Source.Identity, "ignored", c.sum.superseded)
	}
}

func (c *counter) refused(b *store.Batch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sum.refused++
	if c.remind(b.Source.Identity) {
		c.logger.Warn("batches are refused: other content was loaded under the same name. "+
			"Rename the file, or run the producer with --label or --allow-changed",
			"name", b.Source.Name, "source", b.Source.Identity, "ignored", c.sum.refused)
	}
}

func (c *counter) retired(b *store.Batch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sum.retired++
	if c.remind(b.Source.Identity) {
		c.logger.Warn("batches of a source that was unloaded are ignored. Run the producer with --label to load it again",
			"name", b.Source.Name, "source", b.Source.Identity, "ignored", c.sum.retired)
	}
}

// remind says whether to log about the source again. The map stays small: it
// forgets what is old enough to be said again.
func (c *counter) remind(identity string) bool {
	now := time.Now()
	if now.Sub(c.reminded[identity]) < remindEvery {
		return false
	}
	for id, at := range c.reminded {
		if now.Sub(at) >= remindEvery {
			delete(c.reminded, id)
		}
	}
	c.reminded[identity] = now
	return true
}

// committed logs at once when nothing was logged lately, else when that is over.
func (c *counter) committed(result *store.Result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sum.dead += int64(result.Dead)
	for _, src := range result.Completed {
		c.logger.Info("source complete", "name", src.Name, "source", src.Identity, "batches", src.Batches)
	}
	if result.Snapshot == nil {
		return
	}
	if c.snapshot == nil || result.Snapshot.Supersedes(c.snapshot) {
		c.snapshot = result.Snapshot
	}
	if c.pending == nil {
		c.pending = time.AfterFunc(max(0, reportEvery-time.Since(c.reported)), func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.log("committed")
		})
	}
}

// close logs what was not logged yet.
func (c *counter) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pending != nil && c.pending.Stop() {
		c.log("committed")
	}
	c.logger.Info("stopped", "batches", c.sum.batches, "rows", c.sum.rows, "rejects", c.sum.rejects, "dead", c.sum.dead,
		"repeated", c.sum.repeated, "superseded", c.sum.superseded, "refused", c.sum.refused, "retired", c.sum.retired)
}

func (c *counter) log(message string) {
	c.pending, c.reported = nil, time.Now()
	s := c.snapshot
	c.logger.Info(message, "revision", s.Revision, "rows", s.Rows, "count", s.Count,
		"mean", s.Mean, "min", s.Min, "max", s.Max, "rejected", s.Rejected, "dead", s.Dead, "source", s.Source)
}
