package deliver

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/producer/internal/report"
	"github.com/streamgauge/streamgauge/shared/stats"
)

// tally is what became of all sources so far.
type tally struct {
	// single says that there is one source only, whose failure is the run's.
	single                            bool
	files, failed                     int
	rejected, dead, queued, committed bool

	// In records: sent in this run, each once, and found in the database before;
	// of sources that are wholly stored but for dead batches, rows and rejects, and
	// what is in those batches.
	sent, loaded, rows, rejects, setAside int64
	// asked says that loaded is known of every source.
	asked bool
	began time.Time
	// before is the statistics when the run began, nil when not known.
	before *stats.Snapshot
}

func (t *tally) add(f *report.File) {
	t.files++
	t.queued = t.queued || f.State == report.Queued
	t.committed = t.committed || f.State == report.Committed
	t.dead = t.dead || f.State == report.Dead
	if f.Loaded != nil {
		t.loaded += *f.Loaded
	} else if f.Records > 0 {
		t.asked = false
	}
	if f.State == report.Committed || f.State == report.Dead {
		t.rows += *f.Rows
		t.rejects += *f.Rejected
		t.setAside += f.Records - *f.Rows - *f.Rejected
	}
}

// begin notes what the statistics are before anything is sent. Without an
// answer they are not known, which the loads find out too, and tell.
func (r *run) begin(ctx context.Context) {
	r.tally.began = time.Now()
	r.tally.asked = true
	if r.cfg.Wait {
		r.tally.before = r.snapshot(ctx, nextPatience)
	}
}

func (r *run) snapshot(ctx context.Context, patience time.Duration) *stats.Snapshot {
	snapshot, err := r.Service.Snapshot(ctx, patience)
	if err != nil {
		return nil
	}
	return snapshot
}

// summarize tells what the whole run did. It is asked for the statistics
// afterwards only where it has been waited for that.
func (r *run) summarize(ctx context.Context) {
	t := &r.tally
	r.log.Info(t.line(time.Since(t.began)))
	if t.before == nil || !t.committed && !t.dead || ctx.Err() != nil {
		return
	}
	after := r.snapshot(ctx, firstPatience)
	if after == nil || after.Database != t.before.Database {
		return
	}
	r.log.Info("before: " + figures(t.before))
	r.log.Info("after:  " + figures(after))
}

func (t *tally) line(took time.Duration) string {
	var line strings.Builder
	fmt.Fprintf(&line, "%s in %s: %d sent", files(t.files), duration(took), t.sent)
	if t.sent > 0 {
		fmt.Fprintf(&line, " (%.0f rows/s)", float64(t.sent)/max(took.Seconds(), 1e-3))
	}
	return line.String() + t.outcome()
}

// outcome is what became of what was sent, in words that follow others.
func (t *tally) outcome() string {
	var line strings.Builder
	if t.committed || t.dead {
		fmt.Fprintf(&line, ", %d stored, %d rejected", t.rows, t.rejects)
	}
	if t.setAside > 0 {
		fmt.Fprintf(&line, ", %d in dead batches", t.setAside)
	}
	if t.asked {
		fmt.Fprintf(&line, ", %d already loaded", t.loaded)
	}
	if t.failed > 0 {
		fmt.Fprintf(&line, ", %s failed", files(t.failed))
	}
	return line.String()
}

func figures(s *stats.Snapshot) string {
	if s.Count == 0 {
		return rows(s.Rows)
	}
	return fmt.Sprintf("%s, mean %s, min %s, max %s", rows(s.Rows), s.Mean, s.Min, s.Max)
}

func rows(n int64) string {
	if n == 1 {
		return "1 row"
	}
	return fmt.Sprintf("%d rows", n)
}

func records(n int64) string {
	if n == 1 {
		return "1 record"
	}
	return fmt.Sprintf("%d records", n)
}

func files(n int) string {
	if n == 1 {
		return "1 file"
	}
	return fmt.Sprintf("%d files", n)
}

// duration rounds to what people read: 0.2s, 12s, 3m20s.
func duration(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return d.Round(time.Second).String()
}
