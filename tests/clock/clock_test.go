package clock

import (
	"bufio"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/tests/checkout"
)

// A program's wall clock follows the shift while it runs, and its monotonic one
// does not.
func TestShiftsTheWallClockAlone(t *testing.T) {
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "bin")
	if err := Build(t.Context(), root, dir, "./tests/clock/tell"); err != nil {
		t.Fatal(err)
	}
	shift, err := NewShift(filepath.Join(t.TempDir(), "shift"))
	if err != nil {
		t.Fatal(err)
	}
	defer shift.Close()
	cmd := exec.CommandContext(t.Context(), filepath.Join(dir, "tell"))
	cmd.Env = []string{shift.Env()}
	asked, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	told, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(told)
	for _, by := range []time.Duration{0, -24 * time.Hour, 365 * 24 * time.Hour, 0} {
		if err := shift.Set(by); err != nil {
			t.Fatal(err)
		}
		if _, err := asked.Write([]byte("\n")); err != nil {
			t.Fatal(err)
		}
		if !lines.Scan() {
			t.Fatal("the program has ended")
		}
		wall, err := strconv.ParseInt(lines.Text(), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if off := time.Until(time.Unix(0, wall)) - by; off.Abs() > time.Minute {
			t.Errorf("shifted by %v, the clock is %v off that", by, off)
		}
		if !lines.Scan() {
			t.Fatal("the program has ended")
		}
		since, err := time.ParseDuration(lines.Text())
		if err != nil || since < 0 || since > time.Minute {
			t.Errorf("shifted by %v, %s have passed since the start, %v", by, lines.Text(), err)
		}
	}
	_ = asked.Close()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
