package engine

import (
	"crypto/rand"
	"errors"
	"os"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/streamgauge/streamgauge/tests/claim"
)

// Volumes stand for all that a run makes: they need no image.
func TestReapRemovesWhatDeadRunsLeft(t *testing.T) {
	eng, err := Find(t.Context())
	if errors.Is(err, ErrNone) && os.Getenv("REQUIRE_DOCKER") != "1" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = eng.Close() })
	makeVolume := func(run *claim.Claim) string {
		t.Helper()
		name := "streamgauge-test-" + rand.Text()
		if _, err := eng.VolumeCreate(t.Context(), client.VolumeCreateOptions{Name: name, Labels: Labels(run)}); err != nil {
			t.Fatal(err)
		}
		return name
	}
	exists := func(name string) bool {
		t.Helper()
		_, err := eng.VolumeInspect(t.Context(), name, client.VolumeInspectOptions{})
		if err != nil && !errdefs.IsNotFound(err) {
			t.Fatal(err)
		}
		return err == nil
	}
	reap := func() {
		t.Helper()
		if _, err := eng.Reap(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	newClaim := func() *claim.Claim {
		t.Helper()
		run, err := claim.New()
		if err != nil {
			t.Fatal(err)
		}
		return run
	}

	living, dead := newClaim(), newClaim()
	kept, left := makeVolume(living), makeVolume(dead)
	reap()
	if !exists(kept) || !exists(left) {
		t.Fatal("a living run's volume was removed")
	}

	dead.Release()
	reap()
	if exists(left) {
		t.Error("the dead run's volume is still there")
	}
	if !exists(kept) {
		t.Error("the living run's volume was removed")
	}

	if _, err := eng.RemoveAll(t.Context(), living); err != nil {
		t.Fatal(err)
	}
	if exists(kept) {
		t.Error("RemoveAll left the volume")
	}
	living.Release()
}
