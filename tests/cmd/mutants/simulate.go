package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
)

var failedSchedule = regexp.MustCompile(`seed (\d+): ([^;\n]+)`)

// simulate plays schedules, in the order of their seeds, until one fails.
func simulate(ctx context.Context, root, overlay string, m *mutant, schedules int) (*caught, error) {
	binary := filepath.Join(filepath.Dir(overlay), "simulation.test")
	if out, err := command(ctx, root, nil, "go", "test", "-c", "-overlay", overlay, "-o", binary, m.simulation).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build: %w\n%s", err, out)
	}
	cmd := command(ctx, filepath.Join(root, m.simulation), []string{"SCHEDULES=" + strconv.Itoa(schedules), "SEED=", "FIRST="},
		binary, "-test.run", "^TestSchedules$", "-test.timeout", "10m")
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil, nil
	}
	if _, failed := errors.AsType[*exec.ExitError](err); !failed || ctx.Err() != nil {
		return nil, err
	}
	said := failedSchedule.FindSubmatch(out)
	if said == nil {
		return nil, fmt.Errorf("the schedules themselves fail: %w\n%s", err, out)
	}
	seed, err := strconv.Atoi(string(said[1]))
	return &caught{by: "schedules of " + filepath.Base(filepath.Dir(filepath.Dir(m.simulation))), seed: seed, violation: string(said[2])}, err
}
