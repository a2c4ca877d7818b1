package watch

import (
	"io/fs"
	"os"
	"time"
)

// file is one of a folder's files as it is now.
type file struct {
	path string
	info fs.FileInfo
}

// settling knows each file of a folder as it was seen last.
type settling struct {
	settle time.Duration
	files  map[string]*seen
	same   func(a, b fs.FileInfo) bool
	// due is when the next file is complete if nothing changes, zero if all are.
	due time.Time
}

type seen struct {
	info fs.FileInfo
	// since is when it was first seen so, and taken says that it was taken so.
	since time.Time
	taken bool
}

func newSettling(settle time.Duration) *settling {
	return &settling{settle: settle, files: make(map[string]*seen), same: same}
}

// look takes in all files that there are, and returns the paths of those that
// are complete and not taken, in their order. What is not there is forgotten.
func (s *settling) look(files []file, now time.Time) (complete []string) {
	before := s.files
	s.files, s.due = make(map[string]*seen, len(files)), time.Time{}
	for _, f := range files {
		known := before[f.path]
		if known == nil || !s.same(known.info, f.info) {
			known = &seen{info: f.info, since: now}
		}
		s.files[f.path] = known
		if known.taken {
			continue
		}
		if at := known.since.Add(s.settle); at.After(now) {
			if s.due.IsZero() || at.Before(s.due) {
				s.due = at
			}
		} else {
			complete = append(complete, f.path)
		}
	}
	return complete
}

// take notes that a complete file is taken, unless it is another by now.
func (s *settling) take(path string, info fs.FileInfo, now time.Time) bool {
	known := s.files[path]
	if known == nil || !s.same(known.info, info) {
		s.files[path] = &seen{info: info, since: now}
		return false
	}
	known.taken = true
	return true
}

// same says whether nothing has happened to a file: neither its content nor who
// may read it has changed, nor was another put in its place.
func same(a, b fs.FileInfo) bool {
	return a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()) && a.Mode() == b.Mode() && os.SameFile(a, b)
}
