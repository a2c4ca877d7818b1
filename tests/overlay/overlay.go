// Package overlay has the go command build with other files in the place of those
// that are there, and with some that are not.
package overlay

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Write puts files into a new folder and returns the file for the go command's
// -overlay, by which it takes each of them for the one at that path. Nothing need
// be at such a path.
func Write(dir string, files map[string][]byte) (path string, err error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	replace := make(map[string]string)
	for place, content := range files {
		stands := filepath.Join(dir, fmt.Sprintf("%d-%s", len(replace), filepath.Base(place)))
		if err := os.WriteFile(stands, content, 0o600); err != nil {
			return "", err
		}
		replace[place] = stands
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, text, 0o600)
}
