package postgres

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// installation makes a folder that looks like the binaries of a version.
func installation(t *testing.T, root, name, version string) {
	t.Helper()
	dir := filepath.Join(root, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, bin := range []string{"postgres", "initdb"} {
		script := fmt.Sprintf("#!/bin/sh\necho '%s (PostgreSQL) %s'\n", bin, version)
		if version == "" {
			script = "#!/bin/sh\nexit 3\n"
		}
		if err := os.WriteFile(filepath.Join(dir, bin), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFind(t *testing.T) {
	for _, c := range []struct {
		name      string
		installed map[string]string // folder to version, "" = does not run
		major     int
		want      string // version
	}{
		{"highest numerically", map[string]string{"a": "9.6.24", "b": "17.2 (Debian 17.2-1)", "c": "15.14"}, 0, "17.2"},
		{"highest minor", map[string]string{"a": "15.9", "b": "15.14"}, 0, "15.14"},
		{"beta", map[string]string{"a": "19beta1", "b": "18.1"}, 0, "19beta1"},
		{"the cluster's version", map[string]string{"a": "15.14", "b": "17.2"}, 15, "15.14"},
		{"broken ones are passed over", map[string]string{"a": "", "b": "14.2"}, 0, "14.2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			saved := packaged
			packaged = nil
			t.Cleanup(func() { packaged = saved })
			root := folder(t)
			for name, version := range c.installed {
				installation(t, root, name, version)
			}
			user, err := unprivileged()
			if err != nil {
				t.Fatal(err)
			}
			got, err := findIn(t, root, c.major, user)
			if err != nil {
				t.Fatal(err)
			}
			if got.Version != c.want {
				t.Errorf("got %s, want %s", got.Version, c.want)
			}
		})
	}
}

// findIn finds with a PATH of nothing but root's folders: real binaries may be
// newer than the made-up ones.
func findIn(t *testing.T, root string, major int, user *account) (Binaries, error) {
	t.Helper()
	path := "/nonexistent"
	for _, name := range entries(t, root) {
		path += string(filepath.ListSeparator) + filepath.Join(root, name)
	}
	t.Setenv("PATH", path)
	return find(t.Context(), "", major, user)
}

func TestFindWrongMajor(t *testing.T) {
	saved := packaged
	packaged = nil
	t.Cleanup(func() { packaged = saved })
	root := folder(t)
	installation(t, root, "a", "17.2")
	if _, err := findIn(t, root, 15, nil); err == nil {
		t.Error("another version than the cluster's was accepted")
	}
}
