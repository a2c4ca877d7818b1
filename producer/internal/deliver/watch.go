package deliver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/streamgauge/streamgauge/producer/internal/escape"
	"github.com/streamgauge/streamgauge/producer/internal/fetch"
	"github.com/streamgauge/streamgauge/producer/internal/inputs"
	"github.com/streamgauge/streamgauge/producer/internal/watch"
)

// Watch loads each file of the one folder that cfg names, and each that appears
// in it, once it is complete, until ctx ends, which is no error. What is loaded
// already is for the database to say, as in Run. A file that fails is told, and
// tried again when it has changed; NATS failing for good ends the watch.
func Watch(ctx context.Context, cfg Config, log *slog.Logger) error {
	cfg = cfg.withDefaults()
	path := cfg.Inputs[0]
	if err := checkFolder(path); err != nil {
		return err
	}
	if err := inputs.CheckPatterns(cfg.Exclude); err != nil {
		return err
	}
	if cfg.DryRun {
		r := newRun(cfg, Link{}, log)
		return r.watch(ctx, path, r.check)
	}
	b, err := connect(ctx, cfg, log)
	if err != nil {
		return ended(ctx, err)
	}
	defer b.conn.Close()
	r := newRun(cfg, b.link(log), log)
	r.begin(ctx)
	return r.watch(ctx, path, r.load)
}

// watch does one thing with each source of each file that is complete.
func (r *run) watch(ctx context.Context, path string, do do) error {
	r.watching = true
	folder := watch.New(path, func() ([]string, error) { return candidates(path, r.cfg.Exclude) }, r.cfg.Settle, r.log)
	defer folder.Close()
	r.log.Info(fmt.Sprintf("watching %s: a file is loaded once it has not changed for %s", escape.Name(path), r.cfg.Settle))
	for {
		file, err := folder.Next(ctx)
		if err == nil {
			err = r.input(ctx, inputs.Input{Path: file}, do)
		}
		if err != nil {
			r.log.Info(r.tally.watched())
			return ended(ctx, err)
		}
	}
}

// ended is err, unless ctx has ended: then nothing has failed.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func checkFolder(path string) error {
	if fetch.IsURL(path) {
		return errors.New("a URL can't be watched. Name a folder on this machine")
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%s: no such folder. Check the path, or make it", escape.Name(path))
	case err == nil && !info.IsDir():
		return fmt.Errorf("%s is no folder. Load a file without 'watch'", escape.Name(path))
	}
	_, err = inputs.Folder(path, nil)
	return err
}

func candidates(path string, exclude []string) ([]string, error) {
	list, err := inputs.Folder(path, exclude)
	if err != nil {
		return nil, err
	}
	paths := make([]string, len(list))
	for i, in := range list {
		paths[i] = in.Path
	}
	return paths, nil
}

// watched sums a watch up. What took time in it was waiting.
func (t *tally) watched() string {
	return fmt.Sprintf("watched: %s, %s sent%s", files(t.files), records(t.sent), t.outcome())
}
