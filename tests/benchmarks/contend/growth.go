package contend

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/streamgauge/streamgauge/tests/benchmarks/input"
	"github.com/streamgauge/streamgauge/tests/benchmarks/proc"
	"github.com/streamgauge/streamgauge/tests/benchmarks/result"
)

// points is how many a curve has at most; each is an average over at least
// shortest, in which several transactions are committed.
const (
	points   = 120
	shortest = 200 * time.Millisecond
)

// Growth loads a file of so many rows by the pair, and by COPY over one
// connection, and follows each over time.
func (a *Arena) Growth(ctx context.Context, rows int64, told func(result.Growth)) (all []result.Growth, err error) {
	file, err := input.Make(ctx, a.Stage.Dir, rows)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Remove()) }()
	long := &Arena{Stage: a.Stage, File: file, ConsumerArgs: a.ConsumerArgs}

	run, seen, err := long.pair(ctx, Pair{BatchSize: 500, Consumers: 1})
	if err != nil {
		return nil, err
	}
	add := func(key, title string, run result.Run, seen *course) {
		all = append(all, grow(key, title, run, seen))
		told(all[len(all)-1])
	}
	add(KeyPair, "the pair, batches of 500", run, seen)
	for _, c := range []struct {
		key, title string
		into       table
	}{
		{KeyCopyPlain, "COPY text, three plain columns", plainTable},
		{KeyCopyPrices, "COPY text into prices", pricesTable},
	} {
		run, seen, err := long.copyText(ctx, 1, c.into, true)
		if err != nil {
			return nil, err
		}
		add(c.key, c.title, run, seen)
	}
	return all, nil
}

func grow(key, title string, run result.Run, seen *course) result.Growth {
	g := result.Growth{Key: key, Title: title, Run: run}
	rows := float64(run.Rows)
	// Before the first rows the producer reads the file once: the first quarter
	// begins when they have come.
	first := seen.moments[0]
	from, share := first.At, first.Share
	for i := range g.Quarters {
		until := float64(i+1) / 4
		at := when(seen.moments, until)
		g.Quarters[i] = (until - share) * rows / at.Sub(from).Seconds()
		from, share = at, until
	}
	end := seen.moments[len(seen.moments)-1].At
	steps := int(min(points, max(1, end.Sub(seen.began)/shortest)))
	step := end.Sub(seen.began) / time.Duration(steps)
	for i := range steps {
		from := seen.began.Add(time.Duration(i) * step)
		gained := shareAt(seen.moments, from.Add(step)) - shareAt(seen.moments, from)
		middle := from.Add(step / 2).Sub(seen.began)
		g.Rate = append(g.Rate, result.Point{Seconds: middle.Seconds(), Value: gained * rows / step.Seconds()})
	}
	for name, samples := range seen.memory {
		if g.Resident == nil {
			g.Resident = make(map[string][]result.Point)
		}
		g.Resident[name] = thin(samples, seen.began)
	}
	return g
}

// when is the time at which a share was reached, between moments in proportion.
func when(moments []Moment, share float64) time.Time {
	i := slices.IndexFunc(moments, func(m Moment) bool { return m.Share >= share })
	switch {
	case i < 0:
		return moments[len(moments)-1].At
	case i == 0:
		return moments[0].At
	}
	before, after := moments[i-1], moments[i]
	part := (share - before.Share) / (after.Share - before.Share)
	return before.At.Add(time.Duration(part * float64(after.At.Sub(before.At))))
}

// shareAt is what had been reached at a time, between moments in proportion.
func shareAt(moments []Moment, at time.Time) float64 {
	i := slices.IndexFunc(moments, func(m Moment) bool { return !m.At.Before(at) })
	switch {
	case i < 0:
		return moments[len(moments)-1].Share
	case i == 0:
		return 0
	}
	before, after := moments[i-1], moments[i]
	part := float64(at.Sub(before.At)) / float64(after.At.Sub(before.At))
	return before.Share + part*(after.Share-before.Share)
}

// thin keeps the greatest of neighbouring samples.
func thin(samples []proc.Sample, began time.Time) []result.Point {
	each := max(1, (len(samples)+points-1)/points)
	var kept []result.Point
	for group := range slices.Chunk(samples, each) {
		most := slices.MaxFunc(group, func(a, b proc.Sample) int { return int(a.Bytes - b.Bytes) })
		kept = append(kept, result.Point{Seconds: most.At.Sub(began).Seconds(), Value: float64(most.Bytes)})
	}
	return kept
}
