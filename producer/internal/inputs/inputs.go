// Package inputs turns what the command line names (files, globs, folders,
// standard input) into files that can be read twice.
package inputs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/streamgauge/streamgauge/producer/internal/escape"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// Stdin is the argument that stands for standard input.
const Stdin = "-"

// stdinName is what standard input is called as a source.
const stdinName = "stdin"

// Input is one source to be loaded.
type Input struct {
	// Path is where it is, Stdin for standard input.
	Path string
}

// List resolves arguments in their order: a folder into the .csv files directly
// in it, a glob into what it matches, both sorted; anything else stands for
// itself, whether it exists or not. What matches a pattern of exclude, by its
// whole path or its last element, is left out, and what is named twice comes
// once. The error says which argument or pattern gives nothing.
func List(arguments, exclude []string) ([]Input, error) {
	for _, pattern := range exclude {
		if _, err := filepath.Match(pattern, ""); err != nil {
			return nil, fmt.Errorf("--exclude: %s is no valid pattern. Quote special characters with a backslash", escape.Name(pattern))
		}
	}
	var list []Input
	seen := make(map[string]bool)
	for _, argument := range arguments {
		paths, err := expand(argument)
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			key := filepath.Clean(path)
			if seen[key] || excluded(path, exclude) {
				continue
			}
			seen[key] = true
			list = append(list, Input{Path: path})
		}
	}
	if len(list) == 0 {
		return nil, errors.New("every file is excluded. Check --exclude")
	}
	return list, nil
}

func expand(argument string) ([]string, error) {
	if argument == Stdin {
		return []string{argument}, nil
	}
	info, err := os.Stat(argument)
	switch {
	case err == nil && info.IsDir():
		return folder(argument)
	case err == nil || !errors.Is(err, fs.ErrNotExist) || !strings.ContainsAny(argument, `*?[`):
		return []string{argument}, nil
	}
	paths, err := filepath.Glob(argument)
	if err != nil {
		return nil, fmt.Errorf("%s is no valid glob pattern. Quote special characters with a backslash", escape.Name(argument))
	}
	dotted := isHidden(argument)
	paths = slices.DeleteFunc(paths, func(path string) bool {
		info, err := os.Stat(path)
		return err == nil && info.IsDir() || isHidden(path) && !dotted
	})
	if len(paths) == 0 {
		return nil, fmt.Errorf("no file matches %s. Check the pattern and the folder", escape.Name(argument))
	}
	return paths, nil
}

func folder(path string) ([]string, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, explain(path, err)
	}
	var paths []string
	for _, entry := range entries {
		name := entry.Name()
		if !entry.IsDir() && strings.EqualFold(filepath.Ext(name), ".csv") && !isHidden(name) {
			paths = append(paths, filepath.Join(path, name))
		}
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("the folder %s holds no .csv file. Name the files, or give a pattern such as '%s'",
			escape.Name(path), escape.Name(filepath.Join(path, "*.txt")))
	}
	return paths, nil
}

// isHidden says whether the path's last element begins with a dot; as in a
// shell, only a pattern that does so too matches it.
func isHidden(path string) bool { return strings.HasPrefix(filepath.Base(path), ".") }

func excluded(path string, patterns []string) bool {
	for _, pattern := range patterns {
		for _, candidate := range []string{path, filepath.Clean(path), filepath.Base(path)} {
			if match, _ := filepath.Match(pattern, candidate); match {
				return true
			}
		}
	}
	return false
}

// Name is what the source is called: the last element of its path, as a name
// of the wire must be.
func (in Input) Name() string {
	if in.Path == Stdin {
		return stdinName
	}
	name := strings.ToValidUTF8(filepath.Base(in.Path), "\uFFFD")
	for len(name) > wire.MaxName {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	return name
}
