// Package inputs turns what the command line names (files, globs, folders,
// URLs, standard input) into sources that can be read twice.
package inputs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/streamgauge/streamgauge/producer/internal/escape"
	"github.com/streamgauge/streamgauge/producer/internal/fetch"
	"github.com/streamgauge/streamgauge/shared/unpack"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// Stdin is the argument that stands for standard input.
const Stdin = "-"

// stdinName is what standard input is called as a source.
const stdinName = "stdin"

// Input is one file to be loaded.
type Input struct {
	// Path is where it is, Stdin for standard input. A URL may carry credentials
	// and is not to be shown.
	Path string
	// Member is the path, or a pattern of the paths, of what is to be loaded
	// from a zip archive; empty for all of the file.
	Member string
}

// List resolves arguments in their order: a folder into the .csv, .csv.gz,
// .csv.zst and .zip files directly in it, a glob into what it matches, both
// sorted; a.zip!b.csv into what the archive holds under that name; anything else,
// as a URL, stands for itself, whether it exists or not. What matches a pattern of
// exclude, by its whole path or its last element, is left out, and what is named
// twice comes once. The error says which argument or pattern gives nothing.
func List(arguments, exclude []string) ([]Input, error) {
	if err := CheckPatterns(exclude); err != nil {
		return nil, err
	}
	var list []Input
	seen := make(map[string]bool)
	for _, argument := range arguments {
		if in, is := member(argument); is {
			list = append(list, in)
			continue
		}
		paths, err := expand(argument)
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			in := Input{Path: path}
			if seen[in.key()] || in.excluded(exclude) {
				continue
			}
			seen[in.key()] = true
			list = append(list, in)
		}
	}
	if len(list) == 0 {
		return nil, ErrExcluded
	}
	return list, nil
}

// CheckPatterns says which pattern of --exclude is none.
func CheckPatterns(exclude []string) error {
	for _, pattern := range exclude {
		if _, err := filepath.Match(pattern, ""); err != nil {
			return fmt.Errorf("--exclude: %s is no valid pattern. Quote special characters with a backslash", escape.Name(pattern))
		}
	}
	return nil
}

// member takes apart an argument that is no file, while what it begins with, up
// to a separator, is one.
func member(argument string) (Input, bool) {
	if _, err := os.Lstat(argument); argument == Stdin || err == nil {
		return Input{}, false
	}
	for i := range argument {
		if !strings.HasPrefix(argument[i:], unpack.Separator) {
			continue
		}
		path, inside := argument[:i], argument[i+len(unpack.Separator):]
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && inside != "" {
			return Input{Path: path, Member: inside}, true
		}
	}
	return Input{}, false
}

func expand(argument string) ([]string, error) {
	if argument == Stdin {
		return []string{argument}, nil
	}
	if isURL, err := checkURL(argument); isURL || err != nil {
		return []string{argument}, err
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
	if i := slices.Index(paths, Stdin); i >= 0 {
		paths[i] = "." + string(filepath.Separator) + Stdin // the file of that name
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("no file matches %s. Check the pattern and the folder", escape.Name(argument))
	}
	return paths, nil
}

// checkURL says whether an argument is a URL. What is written like one, and is
// neither that nor a file, is an error, which does not repeat it.
func checkURL(argument string) (bool, error) {
	scheme := fetch.Scheme(argument)
	if scheme == "" {
		return false, nil
	}
	if fetch.IsURL(argument) {
		if err := fetch.Check(argument); err != nil {
			return false, fmt.Errorf("%s: %w", escape.Name(fetch.Name(argument)), err)
		}
		return true, nil
	}
	if _, err := os.Lstat(argument); err == nil {
		return false, nil
	}
	return false, fmt.Errorf("%s:// is not supported, only https:// and http://. Give the path of a file, or a presigned https:// link to an object store", scheme)
}

func folder(path string) ([]string, error) {
	inside, err := Folder(path, nil)
	if err != nil {
		return nil, err
	}
	if len(inside) == 0 {
		return nil, fmt.Errorf("the folder %s holds no .csv, .csv.gz, .csv.zst or .zip file. Name the files, or give a pattern such as '%s'",
			escape.Name(path), escape.Name(filepath.Join(path, "*.txt")))
	}
	paths := make([]string, len(inside))
	for i, in := range inside {
		paths[i] = in.Path
	}
	return paths, nil
}

// Folder returns the inputs directly in a folder, sorted, without those that
// match a pattern of exclude, which must be valid. Only what is a file counts,
// links to one included, and links to what can't be told: opening them tells. That
// there are none is no error.
func Folder(path string, exclude []string) ([]Input, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, explain(path, err)
	}
	var list []Input
	for _, entry := range entries {
		in := Input{Path: filepath.Join(path, entry.Name())}
		if isLoadable(entry.Name()) && !in.excluded(exclude) && isFile(path, entry) {
			list = append(list, in)
		}
	}
	return list, nil
}

// isFile says whether an entry of a folder is a file, or a link to one or to what
// can't be told.
func isFile(folder string, entry fs.DirEntry) bool {
	if entry.Type()&fs.ModeSymlink == 0 {
		return entry.Type().IsRegular()
	}
	info, err := os.Stat(filepath.Join(folder, entry.Name()))
	return err != nil || info.Mode().IsRegular()
}

// officeLock begins the name of what Excel keeps beside a file that is open.
const officeLock = "~$"

// isLoadable says whether a file of that name is one of a folder's inputs. What
// is in it is for its bytes to say.
func isLoadable(name string) bool {
	lower := strings.ToLower(name)
	return !isHidden(name) && !strings.HasPrefix(name, officeLock) && slices.ContainsFunc([]string{".csv", ".csv.gz", ".csv.zst", ".zip"}, func(end string) bool {
		return strings.HasSuffix(lower, end)
	})
}

// isHidden says whether the path's last element begins with a dot; as in a
// shell, only a pattern that does so too matches it.
func isHidden(path string) bool { return strings.HasPrefix(filepath.Base(path), ".") }

// excluded says whether a pattern matches a path, or its last part, which is a
// path of its own within an archive.
func excluded(path, part string, patterns []string) bool {
	for _, pattern := range patterns {
		for _, candidate := range []string{path, filepath.Clean(path), part, filepath.Base(part)} {
			if match, _ := filepath.Match(pattern, candidate); match {
				return true
			}
		}
	}
	return false
}

func (in Input) isURL() bool { return fetch.IsURL(in.Path) }

// key tells inputs apart.
func (in Input) key() string {
	switch {
	case in.Path == Stdin:
		return "" // a file may be called so
	case in.isURL():
		return in.Path
	}
	return filepath.Clean(in.Path)
}

func (in Input) excluded(patterns []string) bool {
	path := in.Path
	if in.isURL() {
		path = in.Name()
	}
	return excluded(path, path, patterns)
}

// Name is what the file is called: the last element of its path, as a name of
// the wire must be. It holds nothing of a URL's query, user or password.
func (in Input) Name() string {
	switch {
	case in.Path == Stdin:
		return stdinName
	case in.isURL():
		return wire.Name(fetch.Name(in.Path))
	}
	return wire.Name(filepath.Base(in.Path))
}

// CheckName refuses a name that can't be stored. Only a zip archive can give one.
func (s Source) CheckName() error {
	if strings.ContainsRune(s.Name, 0) {
		return fmt.Errorf("%s: its name holds a NUL, which PostgreSQL can't store. Rename it in the archive, or unpack it and load it by itself", escape.Name(s.Name))
	}
	return nil
}
