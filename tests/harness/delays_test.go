package harness

import (
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestDelays: on a machine with more to do than it has processors, a process that
// works is delayed and one that sleeps is not.
func TestDelays(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells how long a process has waited for a processor")
	}
	var busy []int
	for range 2 * runtime.NumCPU() {
		busy = append(busy, startCommand(t, "sh", "-c", "while :; do :; done"))
	}
	idle := startCommand(t, "sleep", "600")
	began := time.Now()
	working := WatchDelays(t, func() []int { return busy[:1] })
	sleeping := WatchDelays(t, func() []int { return []int{idle} })
	stolen := stolenTime()
	const window = 2 * time.Second
	Eventually(t, time.Minute, "two seconds of work", func() (bool, string) { return time.Since(began) > window, "" })
	now := time.Now()
	if delayed := working.Between(began, now); delayed < window/10 || delayed > now.Sub(began) {
		t.Errorf("a process beside others that take its processor was delayed by %s of %s", delayed, now.Sub(began))
	}
	if delayed := sleeping.Between(began, now) - (stolenTime() - stolen); delayed > window/20 {
		t.Errorf("a process that sleeps was delayed by %s of %s", delayed, now.Sub(began))
	}
}

func startCommand(t *testing.T, name string, args ...string) int {
	t.Helper()
	cmd := exec.Command(name, args...)
	if err := spawn(cmd); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd.Process.Pid
}

// TestKeeps: what the machine is to blame for is taken off what a thing took, and
// nothing else.
func TestKeeps(t *testing.T) {
	began := time.Now()
	after := began.Add
	// Delayed by a half of the first 4 s, by nothing up to the 20th, then by all.
	delays := &Delays{processes: func() []int { return nil }, looks: []look{
		{began, 0}, {after(4 * time.Second), 2 * time.Second}, {after(20 * time.Second), 0}, {after(60 * time.Second), 40 * time.Second},
	}}
	for _, c := range []struct {
		name           string
		from, took     time.Duration
		told, isBroken bool
	}{
		{"in time", 0, 10 * time.Second, false, false},
		{"late by what the machine took", 0, 12 * time.Second, true, false},
		{"late by itself", 5 * time.Second, 12 * time.Second, true, true},
		{"so late that the machine is no excuse", 20 * time.Second, 31 * time.Second, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			told, broken := delays.Keeps(after(c.from), after(c.from+c.took), 10*time.Second)
			if (told != "") != c.told || broken != c.isBroken {
				t.Errorf("told %q, broken: %t", told, broken)
			}
		})
	}
	quiet := &Delays{processes: func() []int { return nil }, looks: []look{{began, 0}, {after(time.Minute), 0}}}
	if told, broken := quiet.Keeps(began, after(10*time.Second+1), 10*time.Second); !broken || !strings.Contains(told, " 0 ms in which") {
		t.Errorf("told %q, broken: %t, of a process that was not delayed", told, broken)
	}
}
