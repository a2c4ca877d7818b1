package demo

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/streamgauge/streamgauge/sandbox/gen"
)

const (
	monthly    = "2012-*.csv"
	validation = "validation.csv"
)

// files are what the demo loads.
type files struct {
	months     []string // in order
	validation string
}

// samples are made in the run's folder, so that the demo needs no checkout.
func samples(ctx context.Context, run string) (files, error) {
	dir := filepath.Join(run, "data")
	if _, err := gen.WriteSamples(ctx, dir); err != nil {
		return files{}, err
	}
	return inputs(dir)
}

// inputs are the files in dir.
func inputs(dir string) (files, error) {
	months, err := filepath.Glob(filepath.Join(escapeGlob(dir), monthly))
	if err != nil {
		return files{}, err
	}
	in := files{months: months, validation: filepath.Join(dir, validation)}
	if len(months) == 0 {
		return files{}, fmt.Errorf("--data: %s holds no %s", dir, monthly)
	}
	if _, err := os.Stat(in.validation); err != nil {
		return files{}, fmt.Errorf("--data: %w", err)
	}
	// 2012-10 comes after 2012-9.
	slices.SortFunc(months, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	})
	return in, nil
}

// escapeGlob has a folder's name mean itself in a pattern.
func escapeGlob(dir string) string {
	var out []rune
	for _, r := range dir {
		if r == '*' || r == '?' || r == '[' || r == '\\' {
			out = append(out, '\\')
		}
		out = append(out, r)
	}
	return string(out)
}
