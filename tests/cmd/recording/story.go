package main

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/tests/recording/cast"
	"github.com/streamgauge/streamgauge/tests/recording/vt"
)

// The screen: two panes, one above the other, each below its name.
const (
	cols       = 94
	upperRows  = 7
	lowerRows  = 22
	upperTitle = "a subscriber"
	lowerTitle = "loading, and looking at what is stored"
	// frameTime is the time between looks at the screen.
	frameTime = 80 * time.Millisecond
	// lastFrame is how long the end stays.
	lastFrame = 6 * time.Second
)

// play types the commands, and returns what was to be seen meanwhile.
func play(ctx context.Context, dir string, env []string) ([]cast.Frame, error) {
	upper, err := openPane(dir, env, upperRows, cols)
	if err != nil {
		return nil, err
	}
	defer upper.close()
	lower, err := openPane(dir, env, lowerRows, cols)
	if err != nil {
		return nil, err
	}
	defer lower.close()
	if err := errors.Join(upper.await(ctx, ""), lower.await(ctx, "")); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var frames []cast.Frame
	watched := make(chan error, 1)
	go func() {
		var err error
		frames, err = watch(ctx, upper, lower)
		watched <- err
	}()
	err = story(ctx, upper, lower)
	cancel()
	return frames, errors.Join(err, <-watched)
}

// story is what happens.
func story(ctx context.Context, upper, lower *pane) error {
	for _, step := range []struct {
		pane  *pane
		types string
		until string // on that pane; "" = the prompt
		rest  time.Duration
	}{
		{upper, "bin/nats sub --raw stats.price | cut -d, -f3-5,10-12", "cut -d", 1500 * time.Millisecond},
		{lower, "bin/producer --file sandbox/data/2012-1.csv --wait", "", 2500 * time.Millisecond},
		{lower, "bin/producer --file big.csv --wait", "", 3 * time.Second},
		{lower, "bin/consumer stats", "", 0},
	} {
		if err := step.pane.run(ctx, step.types); err != nil {
			return err
		}
		if err := step.pane.await(ctx, step.until); err != nil {
			return err
		}
		if err := pause(ctx, step.rest); err != nil {
			return err
		}
	}
	return nil
}

// watch looks at both panes until the context ends, and keeps what is new.
func watch(ctx context.Context, upper, lower *pane) ([]cast.Frame, error) {
	tick := time.NewTicker(frameTime)
	defer tick.Stop()
	began := time.Now()
	var frames []cast.Frame
	look := func() error {
		top, err := upper.snapshot()
		if err != nil {
			return err
		}
		bottom, err := lower.snapshot()
		if err != nil {
			return err
		}
		rows := append([][]vt.Cell{rule(upperTitle)}, top...)
		rows = append(append(rows, rule(lowerTitle)), bottom...)
		at := time.Since(began)
		if len(frames) == 0 {
			at = 0
		}
		if len(frames) == 0 || !reflect.DeepEqual(frames[len(frames)-1].Rows, rows) {
			frames = append(frames, cast.Frame{At: at, Rows: rows})
		}
		return nil
	}
	for {
		if err := look(); err != nil {
			return frames, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return frames, look()
		}
	}
}

// rule is a line with a pane's name.
func rule(name string) []vt.Cell {
	row := make([]vt.Cell, 0, cols)
	for _, r := range "── " + name + " " + strings.Repeat("─", cols-len(name)-4) {
		row = append(row, vt.Cell{Rune: r, Style: vt.Style{Dim: true}})
	}
	return row
}
