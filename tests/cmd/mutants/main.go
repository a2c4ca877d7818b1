// Mutants builds the product with mistakes in it, one at a time, and runs the
// fault harness on each until it is caught. A harness that misses one within
// the seeds given is no proof of anything.
//
//	go run ./tests/cmd/mutants [-seeds 100] [name ...]
package main

import (
	"bytes"
	"context"
	"encoding/json"
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
)

func main() { os.Exit(start()) }

func start() int {
	seeds := flag.Int("seeds", 100, "`N` seeds at most for each mutant")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	missed, err := run(ctx, *seeds, flag.Args())
	if err == nil && missed > 0 {
		err = fmt.Errorf("%d mutants were not caught", missed)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		return 1
	}
	return 0
}

func run(ctx context.Context, seeds int, only []string) (missed int, err error) {
	root, err := checkout.Root()
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "streamgauge-mutants-*")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	harness := filepath.Join(dir, "faults.test")
	if out, err := command(ctx, root, nil, "go", "test", "-c", "-o", harness, "./tests/faults").CombinedOutput(); err != nil {
		return 0, fmt.Errorf("build the harness: %w\n%s", err, out)
	}
	fmt.Println("| Mutant | Caught by | At seed | Violation |\n|---|---|---:|---|")
	for _, m := range mutants {
		if len(only) > 0 && !slices.Contains(only, m.name) {
			continue
		}
		bin := filepath.Join(dir, m.name)
		if err := build(ctx, root, bin, &m); err != nil {
			return 0, fmt.Errorf("%s: %w", m.name, err)
		}
		found, err := try(ctx, root, harness, bin, &m, seeds)
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

// build compiles the programs with the mutant's files in the place of their own.
func build(ctx context.Context, root, bin string, m *mutant) error {
	changed := make(map[string][]byte)
	for _, e := range m.edits {
		content := changed[e.file]
		if content == nil {
			var err error
			if content, err = os.ReadFile(filepath.Join(root, e.file)); err != nil {
				return err
			}
		}
		if n := bytes.Count(content, []byte(e.old)); n != 1 {
			return fmt.Errorf("%s has %q %d times, not once: bring the mutant up to date", e.file, e.old, n)
		}
		changed[e.file] = bytes.Replace(content, []byte(e.old), []byte(e.new), 1)
	}
	if err := os.Mkdir(bin, 0o700); err != nil {
		return err
	}
	replace := make(map[string]string)
	for file, content := range changed {
		path := filepath.Join(bin, strings.ReplaceAll(file, "/", "-"))
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return err
		}
		replace[filepath.Join(root, file)] = path
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return err
	}
	path := filepath.Join(bin, "overlay.json")
	if err := os.WriteFile(path, overlay, 0o600); err != nil {
		return err
	}
	out, err := command(ctx, root, []string{"CGO_ENABLED=0"}, "go", "build", "-buildvcs=false", "-overlay", path,
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

// try runs the scenarios, seed by seed, until one fails.
func try(ctx context.Context, root, harness, bin string, m *mutant, seeds int) (*caught, error) {
	for seed := 1; seed <= seeds; seed++ {
		cmd := command(ctx, filepath.Join(root, "tests", "faults"), []string{"BIN_DIR=" + bin, "TEST_SERVERS=processes"},
			harness, "-test.run", "^TestFaults$", "-test.timeout", "10m", "-faults", m.faults, "-seeds", strconv.Itoa(seed))
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
