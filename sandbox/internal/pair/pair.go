// Package pair finds the binaries of this project.
package pair

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/streamgauge/streamgauge/sandbox/internal/shell"
)

// ErrNotBuilt says that a binary is nowhere. Its text names the remedy.
var ErrNotBuilt = errors.New("not built: run 'make build' first")

// Find returns the path of a binary: beside the running one, in ./bin, on
// PATH, whichever is first. The error is ErrNotBuilt.
func Find(name string) (string, error) {
	var dirs []string
	if self, err := os.Executable(); err == nil {
		dirs = append(dirs, filepath.Dir(self))
	}
	if bin, err := filepath.Abs("bin"); err == nil {
		dirs = append(dirs, bin)
	}
	for _, dir := range dirs {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s is %w (looked beside this binary, in ./bin and on PATH)", name, ErrNotBuilt)
	}
	return path, nil
}

// Command is what a user types, in the current folder, to run the binary.
func Command(name string) string {
	path, err := Find(name)
	if err != nil {
		if _, err := os.Stat("go.work"); err == nil {
			return "go run ./" + name
		}
		return name
	}
	if onPath, err := exec.LookPath(name); err == nil && same(onPath, path) {
		return name
	}
	wd, err := os.Getwd()
	if err != nil {
		return shell.Quote(path)
	}
	rel, err := filepath.Rel(wd, path)
	if err != nil || strings.HasPrefix(rel, "..") {
		return shell.Quote(path)
	}
	if !strings.ContainsRune(rel, filepath.Separator) {
		return shell.Quote("./" + rel) // a bare word would be looked for on PATH
	}
	return shell.Quote(rel)
}

func same(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}
