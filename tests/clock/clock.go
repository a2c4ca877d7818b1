// Package clock builds Go programs whose wall clock a test sets while they run.
// Their source is as it is: what differs is package time of the standard library,
// which adds a number of seconds to what the kernel says. The monotonic clock,
// by which they wait, is the kernel's.
package clock

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/tests/overlay"
)

// variable names the file that holds the seconds.
const variable = "CLOCK_SHIFT_FILE"

//go:embed shift.go.txt
var source []byte

// Shift is how far the wall clock of some programs is off. It is safe for
// concurrent use.
type Shift struct{ file *os.File }

// NewShift returns a Shift of nothing, kept in a file of that path.
func NewShift(path string) (*Shift, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	s := &Shift{file}
	if err := s.Set(0); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return s, nil
}

// Set shifts the clocks from now on, in whole seconds.
func (s *Shift) Set(d time.Duration) error {
	var seconds [8]byte
	binary.NativeEndian.PutUint64(seconds[:], uint64(d/time.Second))
	_, err := s.file.WriteAt(seconds[:], 0)
	return err
}

// Close lets go of the file; programs keep what they have mapped of it.
func (s *Shift) Close() error { return s.file.Close() }

// Env is the environment variable that has a program built by Build go by s.
func (s *Shift) Env() string { return variable + "=" + s.file.Name() }

// Build builds the main packages into the new folder dir, from the workspace at
// root.
func Build(ctx context.Context, root, dir string, packages ...string) error {
	out, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("go env GOROOT: %w", err)
	}
	folder := filepath.Join(strings.TrimSpace(string(out)), "src", "time")
	file := filepath.Join(folder, "time.go")
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	const reads = "	sec, nsec, mono := runtimeNow()\n"
	if n := bytes.Count(content, []byte(reads)); n != 1 {
		return fmt.Errorf("%s has %q %d times, not once: bring package clock up to date with this version of Go", file, reads, n)
	}
	content = bytes.Replace(content, []byte(reads), []byte(reads+"	sec += wallShift()\n"), 1)
	replaced, err := overlay.Write(dir, map[string][]byte{file: content, filepath.Join(folder, "wallshift.go"): source})
	if err != nil {
		return err
	}
	args := append([]string{"build", "-buildvcs=false", "-overlay", replaced, "-o", dir + string(filepath.Separator)}, packages...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK="+filepath.Join(root, "go.work"))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return nil
}
