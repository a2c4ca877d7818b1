package inputs

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func folderWith(t *testing.T, names ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, name := range names {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestList(t *testing.T) {
	root := folderWith(t, "b.csv", "a.csv", "C.CSV", "notes.txt", ".hidden.csv", "sub/d.csv", "[1].csv", "dir.csv/e.csv", "-", "kinds/f.csv")
	t.Chdir(root)
	for link, target := range map[string]string{"folder.csv": "../sub", "link.csv": "../a.csv", "broken.csv": "nowhere", "pipes.csv": "pipe.csv"} {
		if err := os.Symlink(target, filepath.Join("kinds", link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo("kinds/pipe.csv", 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		arguments, exclude, want []string
	}{
		"files in their order":     {[]string{"b.csv", "a.csv"}, nil, []string{"b.csv", "a.csv"}},
		"folder":                   {[]string{"."}, nil, []string{"C.CSV", "[1].csv", "a.csv", "b.csv"}},
		"glob":                     {[]string{"?.csv"}, nil, []string{"a.csv", "b.csv"}},
		"dotted glob":              {[]string{".*"}, nil, []string{".hidden.csv"}},
		"glob passes by folders":   {[]string{"d*"}, []string{"x"}, nil},
		"file named like a glob":   {[]string{"[1].csv"}, nil, []string{"[1].csv"}},
		"twice is once":            {[]string{"a.csv", "./a.csv", "*.csv"}, nil, []string{"a.csv", "[1].csv", "b.csv"}},
		"absent stands for itself": {[]string{"absent.csv"}, nil, []string{"absent.csv"}},
		"standard input":           {[]string{"-", "a.csv"}, nil, []string{"-", "a.csv"}},
		"a file called -":          {[]string{"-", "./-", "kinds/../-"}, nil, []string{"-", "./-"}},
		"glob matches a file -":    {[]string{"?", "-"}, nil, []string{"./-", "-"}},
		"files in a folder only":   {[]string{"kinds"}, nil, []string{"kinds/broken.csv", "kinds/f.csv", "kinds/link.csv"}},
		"exclude by name":          {[]string{"sub", "a.csv", "b.csv"}, []string{"b*"}, []string{"sub/d.csv", "a.csv"}},
		"exclude by path":          {[]string{"sub", "a.csv"}, []string{"sub/*"}, []string{"a.csv"}},
	} {
		t.Run(name, func(t *testing.T) {
			list, err := List(c.arguments, c.exclude)
			if (err == nil) != (c.want != nil) {
				t.Fatalf("error %v", err)
			}
			var got []string
			for _, in := range list {
				got = append(got, in.Path)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("paths (-want +got):\n%s", diff)
			}
		})
	}
}

func TestListRefuses(t *testing.T) {
	root := folderWith(t, "a.csv", "empty/notes.txt")
	t.Chdir(root)
	for name, c := range map[string]struct {
		arguments, exclude []string
		want               string
	}{
		"glob without match":  {[]string{"x*.csv"}, nil, "no file matches x*.csv"},
		"folder without .csv": {[]string{"empty"}, nil, "holds no .csv,"},
		"all excluded":        {[]string{"a.csv"}, []string{"*"}, "every file is excluded"},
		"malformed glob":      {[]string{"[a"}, nil, "no valid glob pattern"},
		"malformed exclude":   {[]string{"a.csv"}, []string{"[a"}, "--exclude"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := List(c.arguments, c.exclude); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestName(t *testing.T) {
	for path, want := range map[string]string{
		"/x/2012-1.csv":                     "2012-1.csv",
		"-":                                 "stdin",
		"/x/a\xffb.csv":                     "a\uFFFDb.csv",
		"/x/" + strings.Repeat("é", 600):    strings.Repeat("é", 512),
		"/x/" + strings.Repeat("\xff", 600): strings.Repeat("\uFFFD", 1),
	} {
		if got := (Input{Path: path}).Name(); got != want {
			t.Errorf("name of %q is %q, want %q", path, got, want)
		}
	}
}

func fifo(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpen(t *testing.T) {
	root := folderWith(t, "a.csv")
	t.Run("file", func(t *testing.T) {
		f, err := Input{Path: filepath.Join(root, "a.csv")}.Open(t.Context(), Outside{})
		if err != nil || f.Nameless {
			t.Fatalf("%+v, %v", f, err)
		}
		defer f.Close()
	})
	t.Run("standard input can be read twice", func(t *testing.T) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			_, _ = w.WriteString("timestamp,price,user_id\n")
			_ = w.Close()
		}()
		f, err := Input{Path: Stdin}.Open(t.Context(), Outside{Stdin: r})
		if err != nil || !f.Nameless {
			t.Fatalf("%+v, %v", f, err)
		}
		defer f.Close()
		for range 2 {
			got, err := io.ReadAll(io.NewSectionReader(f, 0, 100))
			if err != nil || string(got) != "timestamp,price,user_id\n" {
				t.Errorf("read %q, %v", got, err)
			}
		}
		if _, err := os.Stat(f.Name()); !os.IsNotExist(err) {
			t.Errorf("the copy still has a name: %v", err)
		}
	})
	t.Run("standard input that never ends is interruptible", func(t *testing.T) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := (Input{Path: Stdin}).Open(ctx, Outside{Stdin: r}); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want %v", err, context.Canceled)
		}
	})
	t.Run("a pipe is read once it has a writer", func(t *testing.T) {
		pipe := fifo(t)
		go func() {
			w, err := os.OpenFile(pipe, os.O_WRONLY, 0)
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = w.WriteString("timestamp,price,user_id\n")
			_ = w.Close()
		}()
		f, err := Input{Path: pipe}.Open(t.Context(), Outside{})
		if err != nil || !f.Nameless {
			t.Fatalf("%+v, %v", f, err)
		}
		defer f.Close()
		if info, err := f.Stat(); err != nil || info.Size() != 24 {
			t.Errorf("%+v, %v", info, err)
		}
	})
	t.Run("a pipe that nobody writes to is interruptible", func(t *testing.T) {
		pipe := fifo(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		done := make(chan error, 1)
		go func() {
			_, err := Input{Path: pipe}.Open(ctx, Outside{})
			done <- err
		}()
		select {
		case err := <-done:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("error %v, want %v", err, context.Canceled)
			}
		case <-time.After(10 * time.Second):
			t.Error("still waiting for a writer")
		}
	})
	t.Run("standard input that can't be read is not the disk's fault", func(t *testing.T) {
		directory, err := os.Open(root)
		if err != nil {
			t.Fatal(err)
		}
		defer directory.Close()
		_, err = Input{Path: Stdin}.Open(t.Context(), Outside{Stdin: directory})
		if err == nil || err.Error() != "stdin can't be read: is a directory. Check where it comes from" {
			t.Errorf("error %v", err)
		}
	})
	for name, c := range map[string]struct{ path, want string }{
		"absent": {filepath.Join(root, "x"), "no such file"},
		"folder": {root, "is a folder"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := (Input{Path: c.path}).Open(t.Context(), Outside{}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}
