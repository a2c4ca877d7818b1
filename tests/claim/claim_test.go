package claim

import (
	"os"
	"path/filepath"
	"testing"
)

func TestADeadRunsFolderIsRemovedByTheNext(t *testing.T) {
	newClaim := func() *Claim {
		t.Helper()
		c, err := New()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	living, killed := newClaim(), newClaim()
	defer living.Release()
	if err := os.WriteFile(filepath.Join(killed.Dir(), "binary"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if !Alive(living.Dir()) || !Alive(killed.Dir()) {
		t.Fatal("a living run counts as dead")
	}

	// A killed process closes its files, and removes nothing.
	if err := killed.lock.Close(); err != nil {
		t.Fatal(err)
	}
	if Alive(killed.Dir()) {
		t.Error("a killed run counts as alive")
	}
	next := newClaim()
	if _, err := os.Stat(killed.Dir()); !os.IsNotExist(err) {
		t.Errorf("the killed run's folder: %v", err)
	}
	if _, err := os.Stat(living.Dir()); err != nil {
		t.Errorf("the living run's folder: %v", err)
	}

	next.Release()
	if Alive(next.Dir()) {
		t.Error("a run counts as alive after its release")
	}
}
