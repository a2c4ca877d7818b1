package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"time"
)

// mediaTypes are told and not guessed: what a machine has registered differs.
var mediaTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// file is one file of the page.
type file struct {
	name, mediaType, tag string
	content              []byte
}

// loadFiles returns the page's files by the path that a mux knows them by, and
// a digest of them all.
func loadFiles(from fs.FS) (map[string]*file, string, error) {
	files := make(map[string]*file)
	all := sha256.New()
	err := fs.WalkDir(from, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		mediaType, known := mediaTypes[path.Ext(name)]
		if !known {
			return fmt.Errorf("no media type is known for %s", name)
		}
		at := "/" + path.Base(name)
		if at == "/page.html" {
			at = "/{$}"
		}
		digest := sha256.Sum256(content)
		files[at] = &file{path.Base(name), mediaType, `"` + hex.EncodeToString(digest[:8]) + `"`, content}
		_, err = fmt.Fprintf(all, "%s %x\n", name, digest)
		return err
	})
	return files, hex.EncodeToString(all.Sum(nil)[:8]), err
}

// ServeHTTP has the browser ask each time whether it has the right one, so that
// a page never mixes the files of two versions.
func (f *file) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.mediaType)
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", f.tag)
	http.ServeContent(w, r, f.name, time.Time{}, bytes.NewReader(f.content))
}
