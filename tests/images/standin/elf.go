package standin

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// libraryDirs is where the dynamic loader looks for libraries on Debian, on
// its relatives and on distributions with lib64, after the binary's own
// DT_RUNPATH or DT_RPATH. A * stands for the machine's multiarch name.
var libraryDirs = []string{
	"/lib/*-linux-gnu*", "/usr/lib/*-linux-gnu*",
	"/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib",
}

// linker gathers what dynamically linked binaries need to run: their loader
// and libraries, and the libraries of those. It reads the binaries instead of
// running ldd, so that it works for a file system that is not mounted at /.
type linker struct {
	root  string // the file system that the binaries come from, "/" for this machine's
	files *Tree
	done  map[string]bool
}

func newLinker(root string, files *Tree) *linker {
	return &linker{root: root, files: files, done: make(map[string]bool)}
}

// add adds the binary at a path below root, and all it needs, under the same
// paths. Files that are no ELF binaries are added as they are.
func (l *linker) add(name string) error {
	if l.done[name] {
		return nil
	}
	l.done[name] = true
	source := filepath.Join(l.root, name)
	if err := l.files.File(name, source); err != nil {
		return err
	}
	return l.needs(name, source)
}

// needs adds what the binary needs, but not itself.
func (l *linker) needs(name, source string) error {
	binary, err := elf.Open(source)
	var format *elf.FormatError
	switch {
	case errors.As(err, &format), errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	defer binary.Close()

	if loader, err := interpreter(binary); err != nil {
		return fmt.Errorf("%s: %w", source, err)
	} else if loader != "" {
		if err := l.add(loader); err != nil {
			return fmt.Errorf("%s: loader: %w", name, err)
		}
	}
	libraries, err := binary.ImportedLibraries()
	if err != nil {
		return fmt.Errorf("%s: %w", source, err)
	}
	dirs := l.searchDirs(binary, name)
	for _, library := range libraries {
		path, err := l.find(library, dirs, binary)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := l.add(path); err != nil {
			return err
		}
	}
	return nil
}

// interpreter returns the path of the binary's dynamic loader, "" for a
// library or a static binary.
func interpreter(binary *elf.File) (string, error) {
	for _, segment := range binary.Progs {
		if segment.Type != elf.PT_INTERP {
			continue
		}
		text, err := io.ReadAll(segment.Open())
		return string(bytes.TrimRight(text, "\x00")), err
	}
	return "", nil
}

func (l *linker) searchDirs(binary *elf.File, name string) []string {
	var dirs []string
	for _, tag := range []elf.DynTag{elf.DT_RUNPATH, elf.DT_RPATH} {
		paths, err := binary.DynString(tag)
		if err != nil {
			continue // no dynamic section
		}
		for _, list := range paths {
			dirs = append(dirs, strings.Split(strings.ReplaceAll(list, "$ORIGIN", filepath.Dir(name)), ":")...)
		}
	}
	for _, pattern := range libraryDirs {
		matches, _ := filepath.Glob(filepath.Join(l.root, pattern)) // fails on a malformed pattern only
		for _, match := range matches {
			relative, err := filepath.Rel(l.root, match)
			if err == nil {
				dirs = append(dirs, "/"+relative)
			}
		}
	}
	return dirs
}

// find returns the path below root of the first library of that name built for
// the same machine.
func (l *linker) find(library string, dirs []string, user *elf.File) (string, error) {
	for _, dir := range dirs {
		path := filepath.Join(dir, library)
		candidate, err := elf.Open(filepath.Join(l.root, path))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("%s: %w", path, err)
		}
		fits := candidate.Machine == user.Machine && candidate.Class == user.Class
		_ = candidate.Close()
		if fits {
			return path, nil
		}
	}
	return "", fmt.Errorf("library %s not found in %s", library, strings.Join(dirs, ", "))
}

// addMatching adds the files that match a glob pattern below root, of which
// there may be none.
func (l *linker) addMatching(pattern string) error {
	matches, err := filepath.Glob(filepath.Join(l.root, pattern))
	if err != nil {
		return err
	}
	for _, match := range matches {
		relative, err := filepath.Rel(l.root, match)
		if err != nil {
			return err
		}
		info, err := os.Stat(match)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		if err := l.add("/" + relative); err != nil {
			return err
		}
	}
	return nil
}
