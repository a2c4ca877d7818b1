// Package watch tells which files in a folder are complete. A writer that does
// not rename its file when it is done leaves no other sign of that than that the
// file stops changing.
package watch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/streamgauge/streamgauge/producer/internal/escape"
)

const (
	// rescan is how often a folder is looked at though nothing is heard of it:
	// network file systems tell nothing of what others write.
	rescan = 5 * time.Second
	// apart is the least time between two looks, however much is heard.
	apart = 250 * time.Millisecond
)

// Folder is a folder that is watched. It may vanish and come again. It is not
// safe for concurrent use.
type Folder struct {
	path string
	list func() ([]string, error)
	log  *slog.Logger

	files  *settling
	queue  []string // complete, and not handed out yet
	looked time.Time
	heard  <-chan struct{}
	kernel *notifier // nil where the kernel tells nothing
	// trouble is what keeps the folder from being read, as it was told.
	trouble string
}

// New watches the folder at path. Which files in it count is for list to say, by
// their paths in the order in which they are wanted; complete is what has had the
// same size and time of change for settle.
func New(path string, list func() ([]string, error), settle time.Duration, log *slog.Logger) *Folder {
	path = filepath.Clean(path)
	f := &Folder{path: path, list: list, log: log, files: newSettling(settle)}
	kernel, err := newNotifier(path)
	if err != nil {
		log.Info(fmt.Sprintf("%s: the kernel does not tell of new files (%s): looking every %s", escape.Name(path), escape.Name(err.Error()), rescan))
		return f
	}
	f.kernel, f.heard = kernel, kernel.heard
	return f
}

// Close ends the watch.
func (f *Folder) Close() {
	if f.kernel != nil {
		f.kernel.close()
	}
}

// Next waits for a file that is complete, and returns its path: each file once,
// and again whenever it has changed since. The error is ctx's.
func (f *Folder) Next(ctx context.Context) (string, error) {
	for {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		for len(f.queue) > 0 {
			path := f.queue[0]
			f.queue = f.queue[1:]
			if info, err := os.Stat(path); err == nil && f.files.take(path, info, time.Now()) {
				return path, nil
			}
		}
		f.queue = f.look(time.Now())
		if len(f.queue) > 0 {
			continue
		}
		if err := f.wait(ctx); err != nil {
			return "", err
		}
	}
}

// look takes in what the folder holds, and returns what of it is complete.
func (f *Folder) look(now time.Time) []string {
	f.looked = now
	// Where the folder can't be read, nothing is due before the next look at it.
	f.files.due = time.Time{}
	if f.kernel != nil {
		// Without it, looking every few seconds has to do.
		_ = f.kernel.follow()
	}
	info, err := os.Stat(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && !info.IsDir():
		f.tell("the folder is gone: waiting for it to be there again")
		return f.files.look(nil, now)
	case err != nil:
		f.tell("the folder can't be read: " + escape.Name(err.Error()))
		return nil
	}
	paths, err := f.list()
	if err != nil {
		f.tell("the folder can't be read: " + err.Error())
		return nil
	}
	f.tell("")
	found := make([]file, 0, len(paths))
	for _, path := range paths {
		// A pipe would be waited for, and what has vanished is of no interest.
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			found = append(found, file{path, info})
		}
	}
	return f.files.look(found, now)
}

// tell says what keeps the folder from being read, once, and when nothing does
// any more.
func (f *Folder) tell(trouble string) {
	switch trouble {
	case f.trouble:
	case "":
		f.log.Info(escape.Name(f.path) + ": the folder is there again")
	default:
		f.log.Warn(escape.Name(f.path) + ": " + trouble)
	}
	f.trouble = trouble
}

// wait waits until it is time for another look.
func (f *Folder) wait(ctx context.Context) error {
	until := f.looked.Add(rescan)
	if due := f.files.due; !due.IsZero() && due.Before(until) {
		until = due
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
			return nil
		case <-f.heard:
			if soon := f.looked.Add(apart); soon.Before(until) {
				until = soon
				timer.Reset(time.Until(until))
			}
		}
	}
}
