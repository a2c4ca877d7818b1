// Package demo shows the whole of streamgauge on the screen: files in batches
// through the real binaries, statistics as they change, and the database's own
// answer beside them.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/streamgauge/streamgauge/sandbox/internal/pair"
	"github.com/streamgauge/streamgauge/sandbox/internal/servers"
)

// batchSize is in records: small enough that each file changes the statistics
// several times.
const batchSize = 5

// Config says what is shown.
type Config struct {
	DataDir     string // with 2012-*.csv and validation.csv; "" = the samples
	DatabaseURL string // of a server to make a database on; "" = start one
	Image       string // of a container, where one is used; "" = the default
	Bold        bool   // headings in bold: out is a terminal
	Page        bool   // serve the live page, and stay for it
}

// Run shows the demo on out and leaves nothing behind. With a live page it stays
// until ctx is done, which is then the normal end. The error is
// ErrDisagree when the statistics are not the database's, else ErrRejects when
// records were rejected.
func Run(ctx context.Context, cfg Config, out io.Writer, log *slog.Logger) (err error) {
	began := time.Now()
	// Without a reader there is nothing to go on for.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	d := &demo{screen: &screen{out: out, bold: cfg.Bold, stop: cancel}}
	defer func() {
		if d.screen.broken != nil {
			err = d.screen.broken
		}
	}()
	if d.producer, err = pair.Find("producer"); err != nil {
		return err
	}
	consumerPath, err := pair.Find("consumer")
	if err != nil {
		return err
	}

	var in files
	if cfg.DataDir != "" {
		if in, err = inputs(cfg.DataDir); err != nil {
			return err
		}
	}

	d.screen.heading("1. NATS, PostgreSQL and a consumer")
	s, err := servers.Start(ctx, servers.Config{DatabaseURL: cfg.DatabaseURL, Image: cfg.Image, FreePorts: true}, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if cfg.DataDir == "" {
		if in, err = samples(ctx, s.Dir()); err != nil {
			return err
		}
	}
	own := s.Database.Origin != servers.Given
	if !own {
		scratch, err := newScratch(ctx, s.Database.URL)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, scratch.drop()) }()
		if err := s.UseDatabase(scratch.url); err != nil {
			return err
		}
	}
	d.natsURL, d.databaseURL = s.NATSURL, s.Database.URL
	d.screen.item("NATS", s.NATSURL+", JetStream on, in this process")
	d.screen.item("PostgreSQL", s.Database.Redacted)
	d.screen.item("", s.Database.About)

	var page string
	arguments := []string{"--batches-per-commit", "1"}
	if cfg.Page {
		if page, err = pageAddress(); err != nil {
			return err
		}
		arguments = append(arguments, "--http", page)
	}
	consumer, err := startConsumer(ctx, consumerPath, arguments, environment(own, "NATS_URL="+d.natsURL, "DATABASE_URL="+d.databaseURL))
	if err != nil {
		return err
	}
	if err := s.EndWithRun(consumer.proc); err != nil {
		return errors.Join(err, consumer.stop())
	}
	defer func() { err = errors.Join(err, consumer.stop()) }()
	d.consumer = consumer
	d.screen.item("consumer", "made its tables")
	if cfg.Page {
		d.screen.item("live page", "http://"+page+"/")
	}

	if d.stats, err = follow(s.NATSURL); err != nil {
		return err
	}
	defer d.stats.close()
	if err := d.show(ctx, in); err != nil {
		return err
	}
	d.screen.line("")
	d.screen.line(fmt.Sprintf("Done in %.1f s.", time.Since(began).Seconds()))
	if cfg.Page {
		d.stats.close() // nobody reads any more
		if err := d.stay(ctx, page); err != nil {
			return err
		}
	}
	if d.rejects {
		return ErrRejects
	}
	return nil
}

// demo is one run. It is not safe for concurrent use.
type demo struct {
	screen               *screen
	producer             string // path
	natsURL, databaseURL string
	consumer             *consumer
	stats                *follower
	rejects              bool
}

func (d *demo) show(ctx context.Context, in files) error {
	d.screen.heading(fmt.Sprintf("2. %s in batches of %d rows, one commit each", plural(len(in.months), "file"), batchSize))
	d.screen.line("   The running statistics, as the consumer publishes them on stats.price:")
	d.screen.columns()
	for _, path := range in.months {
		if err := d.load(ctx, path); err != nil {
			return err
		}
	}

	d.screen.heading("3. What the database itself answers")
	before, err := d.ask(ctx)
	if err != nil {
		return err
	}
	if err := d.compare(before); err != nil {
		return err
	}

	d.screen.heading("4. " + filepath.Base(in.validation) + " through the same pipeline")
	d.screen.columns()
	if err := d.load(ctx, in.validation); err != nil {
		return err
	}

	d.screen.heading("5. The database again: before and after " + filepath.Base(in.validation))
	after, err := d.ask(ctx)
	if err != nil {
		return err
	}
	d.screen.table([3]string{"", "before", "after"}, before.rows(after))
	return d.agree(after)
}

func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
