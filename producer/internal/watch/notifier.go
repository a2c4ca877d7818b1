package watch

import (
	"io/fs"
	"os"
	"slices"

	"github.com/fsnotify/fsnotify"
)

// notifier makes one signal of whatever the kernel tells of a folder, whose path
// is clean. What it does not tell, a look at the folder finds.
type notifier struct {
	path    string
	watcher *fsnotify.Watcher
	at      fs.FileInfo // the folder that is watched, nil for none
	heard   chan struct{}
}

func newNotifier(path string) (*notifier, error) {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	n := &notifier{path: path, watcher: watcher, heard: make(chan struct{}, 1)}
	if err := n.follow(); err != nil {
		n.close()
		return nil, err
	}
	go n.run()
	return n, nil
}

// run ends with close.
func (n *notifier) run() {
	for {
		select {
		case _, open := <-n.watcher.Events:
			if !open {
				return
			}
		case _, open := <-n.watcher.Errors:
			// That it has lost count is a reason to look.
			if !open {
				return
			}
		}
		select {
		case n.heard <- struct{}{}:
		default:
		}
	}
}

// follow watches the folder that is at the path now, if it is another than was
// watched so far.
func (n *notifier) follow() error {
	info, err := os.Stat(n.path)
	if err != nil {
		n.at = nil
		return err
	}
	watched := slices.Contains(n.watcher.WatchList(), n.path)
	if watched && n.at != nil && os.SameFile(n.at, info) {
		return nil
	}
	if watched {
		_ = n.watcher.Remove(n.path) // it may be gone by itself
	}
	if err := n.watcher.Add(n.path); err != nil {
		return err
	}
	n.at = info
	return nil
}

func (n *notifier) close() {
	_ = n.watcher.Close() // nothing is asked of it any more
}
