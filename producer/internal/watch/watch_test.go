package watch

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// within is how long a test waits for what is to come.
const within = 30 * time.Second

// watched is a folder of a test, and what was told of it.
type watched struct {
	*Folder

	path string
	mu   sync.Mutex
	log  bytes.Buffer
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(p)
}

func watchFolder(t *testing.T, settle time.Duration) *watched {
	t.Helper()
	w := &watched{path: filepath.Join(t.TempDir(), "parent", "drops")}
	w.make(t)
	w.Folder = New(w.path+"/", func() ([]string, error) {
		return filepath.Glob(filepath.Join(w.path, "*.csv"))
	}, settle, slog.New(slog.NewTextHandler(w, nil)))
	t.Cleanup(w.Close)
	return w
}

func (w *watched) make(t *testing.T) {
	t.Helper()
	if err := os.MkdirAll(w.path, 0o700); err != nil {
		t.Fatal(err)
	}
}

func (w *watched) write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(w.path, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// want waits for the next complete file.
func (w *watched) want(t *testing.T, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	path, err := w.Next(ctx)
	if err != nil || filepath.Base(path) != name {
		t.Fatalf("%s, %v, and not %s; told %s", path, err, name, w.log.String())
	}
}

// wantNone asks for as long as the next look takes to find nothing.
func (w *watched) wantNone(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*apart)
	defer cancel()
	if path, err := w.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("%s, %v", path, err)
	}
}

func TestFolder(t *testing.T) {
	w := watchFolder(t, 100*time.Millisecond)
	w.wantNone(t)
	w.write(t, "b.csv", "1")
	w.write(t, "a.csv", "1")
	w.write(t, "other", "1")
	if err := syscall.Mkfifo(filepath.Join(w.path, "pipe.csv"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.want(t, "a.csv")
	w.want(t, "b.csv")
	w.wantNone(t)
	w.write(t, "a.csv", "12")
	w.want(t, "a.csv")
	w.write(t, "c.tmp", "1")
	if err := os.Rename(filepath.Join(w.path, "c.tmp"), filepath.Join(w.path, "c.csv")); err != nil {
		t.Fatal(err)
	}
	w.want(t, "c.csv")
	w.wantNone(t)
}

// A file that is written to all the time is not handed out before that ends.
func TestGrowing(t *testing.T) {
	const settle = 500 * time.Millisecond
	w := watchFolder(t, settle)
	file, err := os.Create(filepath.Join(w.path, "a.csv"))
	if err != nil {
		t.Fatal(err)
	}
	type span struct{ from, to time.Time }
	var writes []span
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer file.Close()
		tick := time.NewTicker(settle / 10)
		defer tick.Stop()
		for range 20 {
			from := time.Now()
			if _, err := file.WriteString("x"); err != nil {
				t.Error(err)
			}
			writes = append(writes, span{from, time.Now()})
			<-tick.C
		}
	}()
	w.want(t, "a.csv")
	came := time.Now()
	<-done
	for _, w := range writes {
		if w.to.Before(came) && came.Sub(w.from) < settle {
			t.Errorf("it came %s after a change", came.Sub(w.from))
		}
	}
}

// A folder that goes and comes is watched again, told once each.
func TestFolderGoesAndComes(t *testing.T) {
	w := watchFolder(t, 100*time.Millisecond)
	w.write(t, "a.csv", "1")
	w.want(t, "a.csv")
	for range 2 {
		if err := os.RemoveAll(w.path); err != nil {
			t.Fatal(err)
		}
		w.wantNone(t)
		w.make(t)
		w.write(t, "a.csv", "1")
		w.want(t, "a.csv")
	}
	// Another folder in its place, which the kernel does not tell of: the one that
	// is watched has not moved, but what it is in.
	if err := os.Rename(filepath.Dir(w.path), filepath.Dir(w.path)+"-old"); err != nil {
		t.Fatal(err)
	}
	w.make(t)
	w.write(t, "b.csv", "1")
	w.want(t, "b.csv")
	w.wantNone(t)
	// What happens to it now is told by the kernel, before the next rescan.
	// (Who begins to wait looks first: so it is written when that is over.)
	began := time.Now()
	writing := time.AfterFunc(2*apart, func() {
		if err := os.WriteFile(filepath.Join(w.path, "c.csv"), []byte("1"), 0o600); err != nil {
			t.Error(err)
		}
	})
	defer writing.Stop()
	w.want(t, "c.csv")
	if took := time.Since(began); took >= rescan/2 {
		t.Errorf("it took %s to be seen", took)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	told := w.log.String()
	if gone, back := strings.Count(told, "drops: the folder is gone: waiting for it to be there again"), strings.Count(told, "drops: the folder is there again"); gone != back || gone < 2 {
		t.Errorf("told %s", told)
	}
}

// Where the kernel tells nothing, looking does.
func TestWithoutTheKernel(t *testing.T) {
	w := watchFolder(t, 100*time.Millisecond)
	w.kernel.close()
	w.kernel, w.heard = nil, nil
	w.wantNone(t)
	w.write(t, "a.csv", "1")
	w.want(t, "a.csv")
}

func TestInterrupted(t *testing.T) {
	w := watchFolder(t, time.Millisecond)
	w.write(t, "a.csv", "1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// A folder that can't be read while a file in it settles is looked at like any
// other, and not without a pause.
func TestUnreadableWhileAFileSettles(t *testing.T) {
	w := watchFolder(t, 50*time.Millisecond)
	w.write(t, "a.csv", "1")
	list, looks := w.list, 0
	w.list = func() ([]string, error) {
		if looks++; looks == 1 {
			return list()
		}
		return nil, errors.New("stale file handle")
	}
	w.wantNone(t)
	if looks > 5 {
		t.Errorf("%d looks within %s", looks, 3*apart)
	}
	w.list = list
	w.want(t, "a.csv")
}
