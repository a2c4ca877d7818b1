// Package checkout finds the source tree that the tests run in.
package checkout

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Root returns the absolute path of the repository's root: the nearest folder
// at or above the working directory that holds a go.work file. Tests run with
// their package's folder as the working directory, so it works from any
// package and survives -trimpath.
func Root() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		_, err := os.Stat(filepath.Join(dir, "go.work"))
		switch {
		case err == nil:
			return dir, nil
		case !errors.Is(err, os.ErrNotExist):
			return "", err
		case dir == filepath.Dir(dir):
			return "", fmt.Errorf("no go.work at or above %s: run inside a checkout", start)
		}
	}
}
