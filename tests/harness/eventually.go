package harness

import (
	"testing"
	"time"
)

// pollInterval is how often Eventually looks.
const pollInterval = 25 * time.Millisecond

// Eventually waits until check says that it is done, and fails the test with
// the last state it told if that takes longer than within.
func Eventually(t testing.TB, within time.Duration, what string, check func() (done bool, state string)) {
	t.Helper()
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		done, state := check()
		if done {
			return
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("waited %s for %s; last: %s", within, what, state)
		}
	}
}
