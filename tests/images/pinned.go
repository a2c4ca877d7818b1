package images

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

// Pinned returns the official image that docker-compose.yml names as the
// default of a variable, as in ${NATS_IMAGE:-nats:2.15.2-alpine}. The tests run
// what the compose file runs, and versions are pinned there alone.
func Pinned(root, variable string) (string, error) {
	path := filepath.Join(root, "docker-compose.yml")
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	pattern := regexp.MustCompile(`\$\{` + regexp.QuoteMeta(variable) + `:-([^}]+)\}`)
	found := pattern.FindSubmatch(text)
	if found == nil {
		return "", fmt.Errorf("%s: no ${%s:-image}", path, variable)
	}
	return string(found[1]), nil
}
