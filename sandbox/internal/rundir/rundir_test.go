package rundir

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func TestLifecycle(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	d, err := Create("x")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.Path("a"), nil, 0o600); err != nil {
		t.Fatal(err)
	}

	t.Run("a living folder is not dead", func(t *testing.T) {
		dead, err := Dead("x")
		if err != nil || len(dead) != 0 {
			t.Errorf("got %v, %v", dead, err)
		}
	})
	t.Run("a living folder is found as such", func(t *testing.T) {
		living, err := Living("x")
		if err != nil || len(living) != 1 || living[0] != d.Path() {
			t.Errorf("got %v, %v", living, err)
		}
	})
	t.Run("a living folder can't be claimed", func(t *testing.T) {
		if _, err := Claim(d.Path()); !errors.Is(err, ErrInUse) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("Release leaves a dead folder", func(t *testing.T) {
		if err := d.Release(); err != nil {
			t.Fatal(err)
		}
		if living, err := Living("x"); err != nil || len(living) != 0 {
			t.Errorf("still found living: %v, %v", living, err)
		}
		if dead, _ := Dead("other"); len(dead) != 0 {
			t.Errorf("found under another kind: %v", dead)
		}
		dead, err := Dead("x")
		if err != nil || len(dead) != 1 || dead[0].Path() != d.Path() {
			t.Fatalf("got %v, %v", dead, err)
		}
		if again, _ := Dead("x"); len(again) != 0 {
			t.Error("found twice")
		}
		if err := dead[0].Remove(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(d.Path()); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("not removed: %v", err)
		}
	})
}

func TestPlantedFoldersAreLeftAlone(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	precious := t.TempDir()
	if err := os.Symlink(precious, filepath.Join(tmp, prefix+"x-link")); err != nil {
		t.Fatal(err)
	}
	trap := filepath.Join(tmp, prefix+"x-trap")
	if err := os.Mkdir(trap, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(precious, "made"), filepath.Join(trap, lockName)); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		other := filepath.Join(tmp, prefix+"x-other")
		if err := os.Mkdir(other, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(other, 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	dead, err := Dead("x")
	if err != nil || len(dead) != 0 {
		t.Errorf("got %d, %v", len(dead), err)
	}
	if entries, _ := os.ReadDir(precious); len(entries) != 0 {
		t.Errorf("followed a link: made %v", entries)
	}
}

// Runs that start while others reap must all get a folder that stays.
func TestCreateAgainstReaping(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	stop := make(chan struct{})
	var reapers, runs sync.WaitGroup
	for range 2 {
		reapers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				dead, err := Dead("x")
				if err != nil {
					t.Error(err)
				}
				for _, d := range dead {
					if err := d.Remove(); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	for range 4 {
		runs.Go(func() {
			for range 300 {
				d, err := Create("x")
				if err != nil {
					t.Error(err)
					return
				}
				if err := os.WriteFile(d.Path("a"), nil, 0o600); err != nil {
					t.Errorf("a living folder was removed: %v", err)
				}
				if err := d.Remove(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	runs.Wait()
	close(stop)
	reapers.Wait()
}
