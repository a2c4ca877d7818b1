package inputs

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func archiveWith(t *testing.T, path string, names ...string) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	archive := zip.NewWriter(file)
	for _, name := range names {
		w, err := archive.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, "in "+name); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestSources(t *testing.T) {
	t.Chdir(t.TempDir())
	archiveWith(t, "a.zip", "b.csv", "c/d.csv", "c/validation.csv", "e[1].csv")
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := io.WriteString(w, "packed"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"f.csv": packed.Bytes(), "g!h.csv": []byte("plain"), "broken.zip": []byte("PK\x03\x04")} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		argument string
		exclude  []string
		want     map[string]string
		err      string
	}{
		"archive":                  {"a.zip", nil, map[string]string{"a.zip!b.csv": "in b.csv", "a.zip!c/d.csv": "in c/d.csv", "a.zip!c/validation.csv": "in c/validation.csv", "a.zip!e[1].csv": "in e[1].csv"}, ""},
		"exclude by name":          {"a.zip", []string{"validation.csv", "[be]*"}, map[string]string{"a.zip!c/d.csv": "in c/d.csv"}, ""},
		"exclude by path":          {"./a.zip", []string{"a.zip![be]*", "c/v*"}, map[string]string{"a.zip!c/d.csv": "in c/d.csv"}, ""},
		"exclude all":              {"a.zip", []string{"*"}, nil, "every file is excluded"},
		"one of an archive":        {"a.zip!c/d.csv", nil, map[string]string{"a.zip!c/d.csv": "in c/d.csv"}, ""},
		"one, named like a glob":   {"a.zip!e[1].csv", nil, map[string]string{"a.zip!e[1].csv": "in e[1].csv"}, ""},
		"some of an archive":       {"a.zip!c/*", nil, map[string]string{"a.zip!c/d.csv": "in c/d.csv", "a.zip!c/validation.csv": "in c/validation.csv"}, ""},
		"none of an archive":       {"a.zip!x.csv", nil, nil, "a.zip holds no .csv file x.csv. Name one of those 'unzip -l' lists"},
		"gzip by its bytes":        {"f.csv", nil, map[string]string{"f.csv": "packed"}, ""},
		"none of what is no zip":   {"f.csv!x.csv", nil, nil, "f.csv holds no .csv file x.csv"},
		"file with an exclamation": {"g!h.csv", nil, map[string]string{"g!h.csv": "plain"}, ""},
		"broken":                   {"broken.zip", nil, nil, "broken.zip: it is compressed, and damaged or cut off. Copy or download it again"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := contents(t, c.argument, c.exclude)
			if (err == nil) != (c.err == "") || err != nil && !strings.HasPrefix(err.Error(), c.err) {
				t.Fatalf("error %v, want %q", err, c.err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("contents (-want +got):\n%s", diff)
			}
		})
	}
}

// contents returns what each source of an argument holds, read twice.
func contents(t *testing.T, argument string, exclude []string) (map[string]string, error) {
	t.Helper()
	list, err := List([]string{argument}, exclude)
	if err != nil {
		return nil, err
	}
	file, err := list[0].Open(t.Context(), Outside{})
	if err != nil {
		return nil, err
	}
	defer file.Close()
	sources, err := file.Sources(exclude)
	if err != nil {
		return nil, err
	}
	got := make(map[string]string)
	for range 2 {
		for _, source := range sources {
			read, err := io.ReadAll(io.NewSectionReader(source, 0, 1<<62))
			if err != nil {
				return nil, err
			}
			got[source.Name] = string(read)
		}
	}
	return got, nil
}

func TestFolderHoldsCompressedFiles(t *testing.T) {
	t.Chdir(folderWith(t, "a.csv", "b.CSV.GZ", "c.csv.zst", "d.zip", "e.gz", "f.csv.part", ".g.csv.gz"))
	list, err := List([]string{"."}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, in := range list {
		got = append(got, filepath.Base(in.Path))
	}
	if diff := cmp.Diff([]string{"a.csv", "b.CSV.GZ", "c.csv.zst", "d.zip"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Readings at any places are those of the bytes themselves, whichever source they
// are of, and only one source is open at a time.
func TestRewound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var in reading
		open := 0
		sources := make([]*rewound, rapid.IntRange(1, 3).Draw(t, "sources"))
		contents := make([][]byte, len(sources))
		for i := range sources {
			contents[i] = []byte(strings.Repeat(string(rune('g'+i))+"123456789abcdef", 20_000))
			// A reader that hands out little, and the end together with bytes.
			sources[i] = &rewound{func() (io.ReadCloser, error) {
				open++
				return closing{bytes.NewBuffer(contents[i]), func() { open-- }}, nil
			}, &in}
		}
		for range rapid.IntRange(1, 10).Draw(t, "readings") {
			i := rapid.IntRange(0, len(sources)-1).Draw(t, "source")
			off := rapid.Int64Range(0, int64(len(contents[i]))+10).Draw(t, "offset")
			size := rapid.IntRange(0, 100_000).Draw(t, "size")
			got, want := make([]byte, size), make([]byte, size)
			n, err := sources[i].ReadAt(got, off)
			wantN, wantErr := bytes.NewReader(contents[i]).ReadAt(want, off)
			if n != wantN || !errors.Is(err, wantErr) && size > 0 || !bytes.Equal(got[:n], want[:wantN]) {
				t.Fatalf("%d bytes at %d: %d, %v; want %d, %v", size, off, n, err, wantN, wantErr)
			}
			if open != 1 {
				t.Fatalf("%d are open", open)
			}
		}
		if in.close(); open != 0 {
			t.Fatalf("%d are open when all is closed", open)
		}
	})
}

type closing struct {
	io.Reader
	closed func()
}

func (c closing) Close() error {
	c.closed()
	return nil
}

// Of each file in an archive there is no more in memory than what the directory
// says of it, read or not.
func TestMemoryOfManySources(t *testing.T) {
	members := make(map[string]string)
	for i := range 1000 {
		members[fmt.Sprintf("%d.csv", i)] = "timestamp,price,user_id\n1/10/2012,50,9\n"
	}
	packed := archive(t, members)
	path := filepath.Join(t.TempDir(), "a.zip")
	if err := os.WriteFile(path, []byte(packed), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, input := range map[string]Input{"file": {Path: path}, "fetched": {Path: link}} {
		t.Run(name, func(t *testing.T) {
			before := heap()
			file, err := input.Open(t.Context(), fetching("a.zip", packed))
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			sources, err := file.Sources(nil)
			if err != nil || len(sources) != len(members) {
				t.Fatalf("%d sources, %v", len(sources), err)
			}
			for _, source := range sources {
				if _, err := source.ReadAt(make([]byte, 100), 0); !errors.Is(err, io.EOF) {
					t.Fatal(err)
				}
			}
			if grown := heap() - before; grown > 8<<20 {
				t.Errorf("%d files take %d bytes", len(sources), grown)
			}
			runtime.KeepAlive(sources)
		})
	}
}

// heap returns how many bytes are in use.
func heap() int64 {
	// What a sync.Pool holds survives one collection.
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
