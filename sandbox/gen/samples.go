package gen

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"
)

// sampleSeed is the seed of the first sample; each next one has the next.
const sampleSeed = 20120110

// Sample is one of the small files that the demo loads and the documentation
// speaks of, a row a day.
type Sample struct {
	Name   string
	Config Config
}

// Samples are five months to load, then a validation file to load after them.
func Samples() []Sample {
	months := []struct {
		name       string
		month, day int
		rows       int64
	}{
		{"2012-1.csv", 1, 10, 22},
		{"2012-2.csv", 2, 1, 29},
		{"2012-3.csv", 3, 1, 31},
		{"2012-4.csv", 4, 1, 30},
		{"2012-5.csv", 5, 1, 31},
		{"validation.csv", 6, 1, 8},
	}
	var out []Sample
	for i, m := range months {
		out = append(out, Sample{Name: m.name, Config: Config{
			Rows:  m.rows,
			Seed:  sampleSeed + uint64(i),
			Start: time.Date(2012, time.Month(m.month), m.day, 0, 0, 0, 0, time.UTC),
		}})
	}
	return out
}

// WriteSamples writes the samples into dir, which is made if need be, and
// returns their paths in the order to load them.
func WriteSamples(ctx context.Context, dir string) ([]string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	var paths []string
	for _, s := range Samples() {
		path := filepath.Join(dir, s.Name)
		if err := WriteFile(ctx, path, s.Config); err != nil {
			return paths, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// WriteFile writes a file that is there whole or not at all: an interrupted
// one keeps what path held before. A path that is no regular file, a named
// pipe for one, is written to as it is.
func WriteFile(ctx context.Context, path string, cfg Config) (err error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(Write(ctx, f, cfg), f.Close())
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if err := Write(ctx, f, cfg); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
