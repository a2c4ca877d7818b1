package harness

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// The programs under test.
const (
	producer = "producer"
	consumer = "consumer"
)

// binaries is the programs under test: those in BIN_DIR if set, else built
// from the checkout, with the race detector where there is a C compiler.
type binaries struct {
	root string
	dir  string
	made bool // the folder is the run's own: build into it
	race bool

	once sync.Once
	err  error // of the build
}

func findBinaries(root, runDir string) (*binaries, error) {
	if dir := os.Getenv("BIN_DIR"); dir != "" {
		// Tests run with their package's folder as the working directory, so
		// that a relative path can only be meant from the root.
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(root, dir)
		}
		for _, name := range []string{producer, consumer} {
			if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
				return nil, fmt.Errorf("BIN_DIR: %w", err)
			}
		}
		return &binaries{root: root, dir: dir}, nil
	}
	return &binaries{root: root, dir: filepath.Join(runDir, "bin"), made: true, race: canRace(root)}, nil
}

// canRace says whether binaries with the race detector can be built here, which
// takes a C compiler; the Makefile asks the same script.
func canRace(root string) bool {
	out, err := exec.Command(filepath.Join(root, "tools", "race")).Output()
	return err == nil && strings.TrimSpace(string(out)) == "-race"
}

func (b *binaries) String() string {
	switch {
	case !b.made:
		return "binaries from " + b.dir
	case b.race:
		return "binaries built with the race detector"
	default:
		return "binaries built without the race detector (no C compiler)"
	}
}

// path returns where a program is, after it has been built if need be. What is
// not a program under test is taken for a path.
func (b *binaries) path(ctx context.Context, name string) (string, error) {
	if name != producer && name != consumer {
		return name, nil
	}
	b.once.Do(func() { b.err = b.build(ctx) })
	return filepath.Join(b.dir, name), b.err
}

func (b *binaries) build(ctx context.Context) error {
	if !b.made {
		return nil
	}
	args := []string{"build", "-buildvcs=false", "-o", b.dir + string(filepath.Separator)}
	cgo := "CGO_ENABLED=0"
	if b.race {
		args, cgo = append(args, "-race"), "CGO_ENABLED=1"
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "./"+producer, "./"+consumer)...)
	cmd.Dir = b.root
	cmd.Env = append(os.Environ(), cgo, "GOWORK="+filepath.Join(b.root, "go.work"))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return nil
}
