package standin

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The linker must find what the dynamic loader of this machine finds: the shell
// runs from a tree of just those files.
func TestLinkerFindsWhatABinaryNeeds(t *testing.T) {
	files := new(Tree)
	linked := newLinker("/", files)
	if err := linked.add("/bin/sh"); err != nil {
		t.Fatal(err)
	}
	if len(files.entries) < 2 {
		t.Skip("/bin/sh is linked statically here")
	}
	root := t.TempDir()
	for name, e := range files.entries {
		text, err := os.ReadFile(e.source)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, e.mode); err != nil {
			t.Fatal(err)
		}
	}
	again := new(Tree)
	if err := newLinker(root, again).add("/bin/sh"); err != nil {
		t.Errorf("in a root of just those files: %v", err)
	}
	if diff := cmp.Diff(len(files.entries), len(again.entries)); diff != "" {
		t.Errorf("files (-machine +copy):\n%s", diff)
	}
}

func TestLinkerNamesAMissingLibrary(t *testing.T) {
	shell, err := os.ReadFile("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "bin", "sh"), shell, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := newLinker(root, new(Tree)).add("/bin/sh"); err == nil {
		t.Error("no error for a shell without its libraries")
	}
}
