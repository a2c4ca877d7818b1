// Mutants builds the product with mistakes in it, one at a time, and runs the
// fault harness or simulated schedules on each until it is caught. One that is
// missed within the seeds given means that they are no proof of anything.
//
//	go run ./tests/cmd/mutants [-seeds 100] [-schedules 10000] [name ...]
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/streamgauge/streamgauge/tests/checkout"
	"github.com/streamgauge/streamgauge/tests/overlay"
)

func main() { os.Exit(start()) }

func start() int {
	var limits limits
	flag.IntVar(&limits.seeds, "seeds", 100, "`N` seeds at most for each mutant of the fault harness")
	flag.IntVar(&limits.schedules, "schedules", 10_000, "`N` schedules at most for each simulated mutant")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	missed, err := run(ctx, limits, flag.Args())
	if err == nil && missed > 0 {
		err = fmt.Errorf("%d mutants were not caught", missed)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		return 1
	}
	return 0
}

// limits are how long a mutant may go uncaught.
type limits struct{ seeds, schedules int }

func run(ctx context.Context, limits limits, only []string) (missed int, err error) {
	root, err := checkout.Root()
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "streamgauge-mutants-*")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	harness := harness{root: root, binary: filepath.Join(dir, "faults.test")}
	fmt.Println("| Mutant | Caught by | At seed | Violation |\n|---|---|---:|---|")
	for _, m := range mutants {
		if len(only) > 0 && !slices.Contains(only, m.name) {
			continue
		}
		bin := filepath.Join(dir, m.name)
		replaced, err := apply(root, bin, &m)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", m.name, err)
		}
		var found *caught
		if m.simulation != "" {
			found, err = simulate(ctx, root, replaced, &m, limits.schedules)
		} else {
			found, err = harness.try(ctx, replaced, bin, &m, limits.seeds)
		}
		if err != nil {
			return 0, fmt.Errorf("%s: %w", m.name, err)
		}
		if found == nil {
			missed++
			found = &caught{by: "**nothing**"}
		}
		fmt.Printf("| %s: %s | %s | %d | %s |\n", m.name, m.what, found.by, found.seed, found.violation)
	}
	return missed, nil
}

// apply writes the mutant's files into the folder, and beside them what has go
// build take them in the place of their own.
func apply(root, dir string, m *mutant) (path string, err error) {
	changed := make(map[string][]byte)
	for _, e := range m.edits {
		content := changed[e.file]
		if content == nil {
			if content, err = os.ReadFile(filepath.Join(root, e.file)); err != nil {
				return "", err
			}
		}
		if n := bytes.Count(content, []byte(e.old)); n != 1 {
			return "", fmt.Errorf("%s has %q %d times, not once: bring the mutant up to date", e.file, e.old, n)
		}
		changed[e.file] = bytes.Replace(content, []byte(e.old), []byte(e.new), 1)
	}
	replaced := make(map[string][]byte, len(changed))
	for file, content := range changed {
		replaced[filepath.Join(root, file)] = content
	}
	return overlay.Write(dir, replaced)
}

// build compiles the programs, but for what the overlay replaces.
func build(ctx context.Context, root, overlay, bin string) error {
	out, err := command(ctx, root, []string{"CGO_ENABLED=0"}, "go", "build", "-buildvcs=false", "-overlay", overlay,
		"-o", bin+string(filepath.Separator), "./producer", "./consumer").CombinedOutput()
	if err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	return nil
}

type caught struct {
	by, violation string
	seed          int
}

var (
	failedRun = regexp.MustCompile(`--- FAIL: TestFaults/([a-z-]+)/`)
	violation = regexp.MustCompile(`(?m)^ +(?:[a-z_]+_test\.go|[a-z]+\.go):\d+: (.+)$`)
)

// harness is the test binary of the faults, built when it is first needed.
type harness struct {
	root, binary string
	built        bool
}

// try runs the scenarios, seed by seed, until one fails.
func (h *harness) try(ctx context.Context, overlay, bin string, m *mutant, seeds int) (*caught, error) {
	if !h.built {
		if out, err := command(ctx, h.root, nil, "go", "test", "-c", "-o", h.binary, "./tests/faults").CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build the harness: %w\n%s", err, out)
		}
		h.built = true
	}
	if err := build(ctx, h.root, overlay, bin); err != nil {
		return nil, err
	}
	for seed := 1; seed <= seeds; seed++ {
		cmd := command(ctx, filepath.Join(h.root, "tests", "faults"), []string{"BIN_DIR=" + bin, "TEST_SERVERS=processes"},
			h.binary, "-test.run", "^TestFaults$", "-test.timeout", "10m", "-faults", m.faults, "-seeds", strconv.Itoa(seed))
		out, err := cmd.CombinedOutput()
		if err == nil {
			continue
		}
		if _, failed := errors.AsType[*exec.ExitError](err); !failed || ctx.Err() != nil {
			return nil, err
		}
		by := failedRun.FindSubmatchIndex(out)
		if by == nil {
			return nil, fmt.Errorf("the harness itself fails: %w\n%s", err, out)
		}
		found := &caught{by: string(out[by[2]:by[3]]), seed: seed}
		if said := violation.FindSubmatch(out[by[1]:]); said != nil {
			found.violation = strings.ReplaceAll(string(said[1]), "|", `\|`)
		}
		return found, nil
	}
	return nil, nil
}

func command(ctx context.Context, dir string, env []string, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	return cmd
}
