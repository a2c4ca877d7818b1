package page

import (
	"time"

	"github.com/streamgauge/streamgauge/shared/stats"
)

const (
	// mostPoints is how many points the plot of the mean has at most: about as
	// many as a screen shows apart.
	mostPoints = 512
	// rateWindow is how far back the rate looks.
	rateWindow = 5 * time.Second
	// rateStep is the least time between two of its samples.
	rateStep = 250 * time.Millisecond
)

// point is the mean when so many prices were counted.
type point struct {
	revision, count int64
	mean            stats.Number
}

// course is the mean from the start of this process on, in a bounded number of
// points: when there are too many, every second one goes, and what comes after
// stands as far apart.
type course struct {
	points []point
	apart  int64 // prices between two points, at least
}

func (c *course) add(s *stats.Snapshot) {
	if s.Mean == "" {
		return
	}
	p := point{s.Revision, s.Count, s.Mean}
	// The last point is always the newest; it stays once it is far enough from
	// the one before.
	if n := len(c.points); n >= 2 && c.points[n-1].count-c.points[n-2].count < c.apart {
		c.points[n-1] = p
		return
	}
	c.points = append(c.points, p)
	if len(c.points) < mostPoints {
		return
	}
	kept := c.points[:0]
	for i, p := range c.points {
		if i%2 == 0 || i == len(c.points)-1 {
			kept = append(kept, p)
		}
	}
	c.points = kept
	c.apart = (p.count - kept[0].count) / (mostPoints / 2)
}

// pace is how fast rows came lately.
type pace struct {
	samples []sample // in order of time; of those before the window the last
}

type sample struct {
	at   time.Time
	rows int64
}

func (p *pace) add(at time.Time, rows int64) {
	n := len(p.samples)
	if n >= 2 && p.samples[n-1].at.Sub(p.samples[n-2].at) < rateStep {
		p.samples[n-1] = sample{at, rows}
	} else {
		p.samples = append(p.samples, sample{at, rows})
	}
	p.forget(at)
}

// forget leaves one sample from before the window, for it says what stood when
// the window began.
func (p *pace) forget(now time.Time) {
	begin := now.Add(-rateWindow)
	for len(p.samples) >= 2 && !p.samples[1].at.After(begin) {
		p.samples = p.samples[1:]
	}
}

// rate is in rows a second over the window; rows that were taken back count as
// none.
func (p *pace) rate(now time.Time) float64 {
	p.forget(now)
	if len(p.samples) == 0 {
		return 0
	}
	first, last := p.samples[0], p.samples[len(p.samples)-1]
	over := max(time.Second, min(rateWindow, now.Sub(first.at)))
	return float64(max(0, last.rows-first.rows)) / over.Seconds()
}
