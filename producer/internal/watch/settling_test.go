package watch

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// state is a file of a folder that is only thought of.
type state struct {
	size    int64
	changed int
	mode    fs.FileMode
}

func (s state) Name() string       { return "" }
func (s state) Size() int64        { return s.size }
func (s state) Mode() fs.FileMode  { return s.mode }
func (s state) ModTime() time.Time { return time.Unix(int64(s.changed), 0) }
func (s state) IsDir() bool        { return false }
func (s state) Sys() any           { return nil }

// A file is complete when it has been seen unchanged for as long as it takes, is
// taken once, and again when anything about it has changed.
func TestSettling(t *testing.T) {
	at := func(seconds int) time.Time { return time.Unix(1000+int64(seconds), 0) }
	s := &settling{settle: 2 * time.Second, files: make(map[string]*seen), same: sameState}
	for i, step := range []struct {
		second   int
		files    []file
		complete []string
		due      int // -1 for never
		take     bool
	}{
		{0, []file{{"a", state{}}}, nil, 2, false},
		{1, []file{{"a", state{size: 5}}}, nil, 3, false},                               // grows
		{2, []file{{"a", state{size: 5}}, {"b", state{}}}, nil, 3, false},               // not yet
		{3, []file{{"a", state{size: 5}}, {"b", state{}}}, []string{"a"}, 4, true},      // complete
		{4, []file{{"a", state{size: 5}}, {"b", state{}}}, []string{"b"}, -1, false},    // not taken
		{5, []file{{"a", state{size: 5}}, {"b", state{}}}, []string{"b"}, -1, true},     // so once more
		{9, []file{{"a", state{size: 5}}, {"b", state{}}}, nil, -1, false},              // both were taken
		{10, []file{{"a", state{size: 5, changed: 1}}}, nil, 12, false},                 // rewritten; b is gone
		{11, []file{{"a", state{size: 5, changed: 1}}, {"b", state{}}}, nil, 12, false}, // b is back
		{13, []file{{"a", state{size: 5, changed: 1}}, {"b", state{}}}, []string{"a", "b"}, -1, true},
		{14, []file{{"a", state{size: 5, changed: 1, mode: 0o400}}}, nil, 16, false}, // may be read now
	} {
		complete := s.look(step.files, at(step.second))
		if diff := cmp.Diff(step.complete, complete); diff != "" {
			t.Errorf("step %d: complete (-want +got):\n%s", i, diff)
		}
		if step.due < 0 && !s.due.IsZero() || step.due >= 0 && !s.due.Equal(at(step.due)) {
			t.Errorf("step %d: due at %v", i, s.due)
		}
		if !step.take {
			continue
		}
		for _, f := range step.files {
			for _, path := range complete {
				if path == f.path && !s.take(path, f.info, at(step.second)) {
					t.Errorf("step %d: %s is not taken", i, path)
				}
			}
		}
	}
	if s.take("a", state{size: 6}, at(20)) {
		t.Error("a file that has just grown is taken")
	}
	if complete := s.look([]file{{"a", state{size: 6}}}, at(21)); complete != nil || !s.due.Equal(at(22)) {
		t.Errorf("complete %v, due at %v", complete, s.due)
	}
}

// Whatever happens to files, what is taken has not changed for as long as it
// takes, and the last version of each file is taken in the end.
func TestAnyCourse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const settle = 3
		s := &settling{settle: settle * time.Second, files: make(map[string]*seen), same: sameState}
		files, changed, taken := map[string]state{}, map[string]int{}, map[string]state{}
		now := 0
		look := func() {
			var list []file
			for i := range 4 {
				if path := fmt.Sprint(i); changed[path] > 0 {
					list = append(list, file{path, files[path]})
				}
			}
			for _, path := range s.look(list, time.Unix(int64(now), 0)) {
				if now-changed[path] < settle {
					t.Fatalf("at %d: %s is complete, and changed at %d", now, path, changed[path])
				}
				if s.take(path, files[path], time.Unix(int64(now), 0)) {
					if taken[path] == files[path] {
						t.Fatalf("at %d: %s is taken twice", now, path)
					}
					taken[path] = files[path]
				}
			}
		}
		for now = 1; now < rapid.IntRange(2, 40).Draw(t, "seconds"); now++ {
			if rapid.Bool().Draw(t, "write") {
				path := fmt.Sprint(rapid.IntRange(0, 3).Draw(t, "file"))
				files[path], changed[path] = state{size: int64(now), changed: now}, now
			}
			if rapid.Bool().Draw(t, "look") {
				look()
			}
		}
		look()
		now += settle
		look()
		for path, want := range files {
			if taken[path] != want {
				t.Fatalf("%s was %v at last, and taken as %v", path, want, taken[path])
			}
		}
	})
}

// sameState is same for files that are on no disk.
func sameState(a, b fs.FileInfo) bool { return a == b }

// What makes a file another.
func TestSame(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	then := time.Now().Add(-time.Hour)
	write := func(content string, mode fs.FileMode, changed time.Time) fs.FileInfo {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, changed, changed); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	first := write("x", 0o600, then)
	if !same(first, write("y", 0o600, then)) {
		t.Error("a file with the size and time it had is another")
	}
	for name, other := range map[string]fs.FileInfo{
		"size": write("xx", 0o600, then), "time": write("x", 0o600, then.Add(time.Nanosecond)), "mode": write("x", 0o640, then),
	} {
		if same(first, other) {
			t.Errorf("a file of another %s is the same", name)
		}
	}
	if err := os.Rename(path, path+"2"); err != nil {
		t.Fatal(err)
	}
	if same(first, write("x", 0o600, then)) {
		t.Error("another file in its place is the same")
	}
}
