package pair

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func binary(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestFindAndCommand(t *testing.T) {
	dir, onPath := t.TempDir(), t.TempDir()
	t.Chdir(dir)
	t.Setenv("PATH", onPath)

	if _, err := Find("producer"); !errors.Is(err, ErrNotBuilt) {
		t.Errorf("nowhere: %v", err)
	}
	if got := Command("producer"); got != "producer" {
		t.Errorf("nowhere: %s", got)
	}
	if err := os.WriteFile("go.work", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := Command("producer"); got != "go run ./producer" {
		t.Errorf("in a checkout, not built: %s", got)
	}
	binary(t, filepath.Join(onPath, "producer"))
	if got, err := Find("producer"); err != nil || got != filepath.Join(onPath, "producer") {
		t.Errorf("on PATH: %s, %v", got, err)
	}
	if got := Command("producer"); got != "producer" {
		t.Errorf("on PATH: %s", got)
	}
	if err := os.Mkdir("bin", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("bin/producer", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if got := Command("producer"); got != "producer" {
		t.Errorf("a file that can't be run was taken: %s", got)
	}
	if err := os.Chmod("bin/producer", 0o755); err != nil {
		t.Fatal(err)
	}
	if got := Command("producer"); got != "bin/producer" {
		t.Errorf("in ./bin: %s", got)
	}
	t.Chdir("bin")
	binary(t, filepath.Join("bin", "x y"))
	if got := Command("x y"); got != "'bin/x y'" {
		t.Errorf("with a space: %s", got)
	}
}
