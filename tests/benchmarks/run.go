package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/streamgauge/streamgauge/tests/benchmarks/contend"
	"github.com/streamgauge/streamgauge/tests/benchmarks/input"
	"github.com/streamgauge/streamgauge/tests/benchmarks/machine"
	"github.com/streamgauge/streamgauge/tests/benchmarks/micro"
	"github.com/streamgauge/streamgauge/tests/benchmarks/present"
	"github.com/streamgauge/streamgauge/tests/benchmarks/result"
	"github.com/streamgauge/streamgauge/tests/benchmarks/stage"
	"github.com/streamgauge/streamgauge/tests/checkout"
)

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	cfg, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	root, err := checkout.Root()
	if err != nil {
		return err
	}
	if !filepath.IsAbs(cfg.binaries) {
		cfg.binaries = filepath.Join(root, cfg.binaries)
	}
	if cfg.write != "" && !filepath.IsAbs(cfg.write) {
		cfg.write = filepath.Join(root, cfg.write)
	}
	r := &result.Report{
		Began: now(), Version: machine.Version(ctx, root),
		Rows: cfg.rows, Rounds: cfg.rounds,
	}
	if err := measureAll(ctx, cfg, root, r, stderr); err != nil {
		return err
	}
	if _, err := io.WriteString(stdout, present.Tables(r)); err != nil || cfg.write == "" {
		return err
	}
	return present.Write(cfg.write, r)
}

func now() string { return time.Now().UTC().Format(time.RFC3339) }

// measureAll has removed everything it made when it returns.
func measureAll(ctx context.Context, cfg config, root string, r *result.Report, talk io.Writer) (err error) {
	st, err := stage.Open(ctx, stage.Config{Root: root, Binaries: cfg.binaries, NATS: cfg.nats, Settings: cfg.settings})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	if r.Machine, err = machine.Describe(ctx, st, cfg.settings); err != nil {
		return err
	}
	file, err := input.Make(ctx, st.Dir, cfg.rows)
	if err != nil {
		return err
	}
	arena := &contend.Arena{Stage: st, File: file, ConsumerArgs: cfg.consumerArgs}
	defer func() { err = errors.Join(err, arena.Close()) }()
	if err := contest(ctx, cfg, arena, r, talk); err != nil {
		return err
	}
	if err := others(ctx, cfg, arena, r, talk); err != nil {
		return err
	}
	if cfg.micro > 0 {
		fmt.Fprintln(talk, "single steps")
		if r.Micro, err = micro.Run(ctx, root, cfg.micro); err != nil {
			return err
		}
	}
	r.Machine.LoadEnded, err = machine.Load()
	r.Ended = now()
	return err
}

// contest lets the contenders run in turn. Each round begins with the next one,
// so that none always follows the same other.
func contest(ctx context.Context, cfg config, arena *contend.Arena, r *result.Report, talk io.Writer) error {
	var list []contend.Contender
	for _, c := range contend.All() {
		if cfg.only.MatchString(c.Key) {
			list = append(list, c)
			r.Contenders = append(r.Contenders, result.Contender{Key: c.Key, Title: c.Title})
		}
	}
	if cfg.rounds > 0 && len(list) > 0 {
		// What is done for the first time takes longer: PostgreSQL makes the files
		// of its log, programs are read from disk.
		fmt.Fprintln(talk, "warming up")
		for _, c := range []contend.Contender{list[0], list[len(list)-1]} {
			if _, err := c.Run(ctx, arena); err != nil && !errors.Is(err, contend.ErrMissing) {
				return fmt.Errorf("%s: %w", c.Title, err)
			}
		}
	}
	for round := range cfg.rounds {
		for i := range list {
			at := (i + round) % len(list)
			one, err := list[at].Run(ctx, arena)
			if errors.Is(err, contend.ErrMissing) {
				fmt.Fprintf(talk, "round %d of %d: %-14s %v\n", round+1, cfg.rounds, list[at].Key, err)
				continue
			}
			if err != nil {
				return fmt.Errorf("%s: %w", list[at].Title, err)
			}
			one.Round = round + 1
			r.Contenders[at].Runs = append(r.Contenders[at].Runs, one)
			fmt.Fprintf(talk, "round %d of %d: %-14s %6.2f M rows/s, %5.2f CPU s a million %s\n",
				round+1, cfg.rounds, list[at].Key, one.Rate()/1e6, one.CPU(), costs(one))
		}
	}
	return nil
}

// others measures what is no contest.
func others(ctx context.Context, cfg config, arena *contend.Arena, r *result.Report, talk io.Writer) error {
	if cfg.starts > 0 {
		start, err := arena.Start(ctx, cfg.starts)
		if err != nil {
			return fmt.Errorf("the consumer's start: %w", err)
		}
		r.Start = &start
		fmt.Fprintf(talk, "start to ready: %.0f ms, most %.0f\n", start.ToReady.P50, start.ToReady.Max)
	}
	for _, flow := range flows(cfg) {
		latency, err := arena.Latency(ctx, flow)
		if err != nil {
			return fmt.Errorf("latency, %s: %w", flow.Title, err)
		}
		r.Latency = append(r.Latency, latency)
		t := latency.PublishToAnnounce
		fmt.Fprintf(talk, "latency, %s: p50 %.1f ms, p99 %.1f, most %.1f; fsync p99 %.2f; published at most %.1f ms late\n",
			flow.Title, t.P50, t.P99, t.Max, latency.Fsync.P99, latency.Late)
	}
	if cfg.growth == 0 {
		return nil
	}
	var err error
	r.Growth, err = arena.Growth(ctx, cfg.growth, func(g result.Growth) {
		fmt.Fprintf(talk, "%d rows, %s: %.2f M rows/s, last quarter ÷ first %.2f\n", g.Run.Rows, g.Title, g.Run.Rate()/1e6, g.Flat())
	})
	if err != nil {
		return fmt.Errorf("the long load: %w", err)
	}
	return nil
}

// flows are those that latency is measured in: steady work, and a batch now and
// then, which finds both sides idle.
func flows(cfg config) []contend.Steady {
	if cfg.latency == 0 {
		return nil
	}
	return []contend.Steady{
		{Title: "10,000 rows/s in batches of 100", RowsPerSecond: 10_000, BatchSize: 100, For: cfg.latency, Drop: cfg.latencyDrop},
		{Title: "10 rows/s, one in a batch", RowsPerSecond: 10, BatchSize: 1, For: cfg.latency, Drop: cfg.latencyDrop},
	}
}

func costs(one result.Run) string {
	text := ""
	if one.Snapshots > 0 {
		text = fmt.Sprintf(" %d snapshots, the first after %.2f s", one.Snapshots, one.FirstSeconds)
	}
	for _, name := range result.Processes {
		if seconds, has := one.CPUSeconds[name]; has {
			text += fmt.Sprintf("  %s %.2f", name, seconds/float64(one.Rows)*1e6)
		}
		if bytes, has := one.PeakBytes[name]; has {
			text += fmt.Sprintf(" %d MB", bytes/1e6)
		}
	}
	return text
}
