// Package micro runs the Go benchmarks of single steps: cutting, parsing,
// encoding and decoding, on one core.
package micro

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/streamgauge/streamgauge/tests/benchmarks/result"
)

const module = "github.com/streamgauge/streamgauge/"

// Run runs the benchmarks of the product's packages so many times each.
func Run(ctx context.Context, root string, times int) ([]result.Micro, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", ".", "-benchmem", "-cpu", "1", "-count", strconv.Itoa(times),
		"./shared/...", "./producer/...", "./consumer/...")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOWORK="+filepath.Join(root, "go.work"))
	out, err := cmd.Output()
	if err != nil {
		if exit, is := errors.AsType[*exec.ExitError](err); is {
			return nil, fmt.Errorf("go test -bench: %w\n%s%s", err, out, exit.Stderr)
		}
		return nil, err
	}
	return parse(out)
}

// parse reads what go test prints, in the format that benchstat reads too:
// https://go.dev/design/14313-benchmark-format. Values of repeated lines are
// replaced by their medians.
func parse(out []byte) ([]result.Micro, error) {
	var all []result.Micro
	values := make(map[string]map[string][]float64) // by benchmark and unit
	where := ""
	for line := range bytes.Lines(out) {
		fields := strings.Fields(string(line))
		if len(fields) == 2 && fields[0] == "pkg:" {
			where = strings.TrimPrefix(fields[1], module)
		}
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := where + " " + strings.TrimPrefix(fields[0], "Benchmark")
		if values[name] == nil {
			values[name] = make(map[string][]float64)
			all = append(all, result.Micro{Package: where, Name: strings.TrimPrefix(fields[0], "Benchmark")})
		}
		for i := 2; i+1 < len(fields); i += 2 {
			value, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return nil, fmt.Errorf("go test printed %q", line)
			}
			values[name][fields[i+1]] = append(values[name][fields[i+1]], value)
		}
	}
	for i, m := range all {
		all[i].Medians = make(map[string]float64)
		for unit, of := range values[m.Package+" "+m.Name] {
			all[i].Medians[unit] = result.SpreadOf(of).Median
		}
	}
	return all, nil
}
