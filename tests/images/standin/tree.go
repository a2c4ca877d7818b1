package standin

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Tree is the files of an image, by absolute path in it. The zero value is
// empty. Folders above a file need no entry of their own. Not safe for
// concurrent use.
type Tree struct {
	entries map[string]entry
}

// entry is one file or folder. At most one of source and content is set.
type entry struct {
	mode    fs.FileMode
	uid     int
	source  string // a file on this machine
	content []byte
}

func (t *Tree) add(name string, e entry) {
	if t.entries == nil {
		t.entries = make(map[string]entry)
	}
	t.entries[path.Clean("/"+name)] = e
}

// Content adds a file with the given text, owned by root.
func (t *Tree) Content(name string, mode fs.FileMode, content string) {
	t.add(name, entry{mode: mode, content: []byte(content)})
}

// Dir adds an empty folder owned by uid.
func (t *Tree) Dir(name string, mode fs.FileMode, uid int) {
	t.add(name, entry{mode: mode | fs.ModeDir, uid: uid})
}

// File adds a file of this machine, with its permissions, owned by root. A
// symbolic link is followed.
func (t *Tree) File(name, source string) error {
	info, err := os.Stat(source)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file", source)
	}
	t.add(name, entry{mode: info.Mode().Perm(), source: source})
	return nil
}

// Files adds the regular files below a folder of this machine, links
// followed, except those for which skip says so.
func (t *Tree) Files(name, source string, skip func(source string) bool) error {
	source, err := filepath.EvalSymlinks(source)
	if err != nil {
		return err
	}
	return filepath.WalkDir(source, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if skip != nil && skip(file) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		info, err := os.Stat(file)
		if err != nil || !info.Mode().IsRegular() {
			return nil // a folder, or a link that leads nowhere or to a folder
		}
		return t.File(path.Join(name, strings.TrimPrefix(file, source)), file)
	})
}

// Digest identifies the tree by its names, modes, owners and contents; of
// files on this machine, their size and time of change stand for the content.
func (t *Tree) Digest() (string, error) {
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(t.entries)) {
		e := t.entries[name]
		fmt.Fprintf(sum, "%q %v %d %q %q", name, e.mode, e.uid, e.source, e.content)
		if e.source != "" {
			info, err := os.Stat(e.source)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(sum, " %d %d", info.Size(), info.ModTime().UnixNano())
		}
		fmt.Fprintln(sum)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// WriteTar writes the tree as a tar archive.
func (t *Tree) WriteTar(w io.Writer) error {
	archive := tar.NewWriter(w)
	for _, name := range slices.Sorted(maps.Keys(t.entries)) {
		if err := writeEntry(archive, name, t.entries[name]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return archive.Close()
}

func writeEntry(archive *tar.Writer, name string, e entry) error {
	header := &tar.Header{
		Name: strings.TrimPrefix(name, "/"), Mode: int64(e.mode.Perm()),
		Uid: e.uid, Gid: e.uid, ModTime: time.Unix(0, 0), Format: tar.FormatPAX,
	}
	if e.mode&fs.ModeSticky != 0 {
		header.Mode |= 0o1000
	}
	switch {
	case e.mode.IsDir():
		header.Typeflag, header.Name = tar.TypeDir, header.Name+"/"
		return archive.WriteHeader(header)
	case e.source == "":
		header.Typeflag, header.Size = tar.TypeReg, int64(len(e.content))
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		_, err := archive.Write(e.content)
		return err
	}
	file, err := os.Open(e.source)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	header.Typeflag, header.Size = tar.TypeReg, info.Size()
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.Copy(archive, file)
	return err
}
