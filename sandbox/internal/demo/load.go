package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/streamgauge/streamgauge/sandbox/internal/child"
	"github.com/streamgauge/streamgauge/sandbox/internal/tail"
)

// exitRejects is the producer's code for: done, but some records or batches
// were set aside.
const exitRejects = 3

// settleTimeout is how long after a load the last statistics may take to
// arrive: they are published within 2 s of the last commit.
const settleTimeout = 5 * time.Second

// environment is that of a child: the given settings, and none of the user's
// own for NATS; nor for PostgreSQL where the server is the demo's own.
func environment(ownServer bool, settings ...string) []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "NATS_") || ownServer && strings.HasPrefix(v, "PG") || strings.HasPrefix(v, "DATABASE_URL=")
	})
	return append(env, settings...)
}

// load runs the producer on one file, shows the statistics as they come, and
// returns when those of the last commit have.
func (d *demo) load(ctx context.Context, path string) error {
	cmd := exec.Command(d.producer, "--file", path, "--batch-size", strconv.Itoa(batchSize), "--wait")
	cmd.Env = environment(true, "NATS_URL="+d.natsURL) // it has no business with the database
	var summary bytes.Buffer
	talk := &tail.Buffer{}
	cmd.Stdout, cmd.Stderr = &summary, talk
	proc, err := child.Start(cmd, syscall.SIGTERM)
	if err != nil {
		return err
	}
	for running := true; running; {
		select {
		case msg := <-d.stats.messages:
			d.screen.snapshot(d.stats.take(msg))
		case <-proc.Done():
			running = false
		case <-d.consumer.proc.Done():
			return errors.Join(d.consumer.died(), proc.Stop(stopGrace, syscall.SIGTERM))
		case <-ctx.Done():
			return errors.Join(ctx.Err(), proc.Stop(stopGrace, syscall.SIGTERM))
		}
	}
	switch code := proc.State().ExitCode(); code {
	case 0:
	case exitRejects:
		d.rejects = true
	default:
		return fmt.Errorf("producer --file %s: %s%s", filepath.Base(path), proc.State(), tail.Lines(talk.String()))
	}
	if err := d.settle(ctx); err != nil {
		return err
	}
	d.screen.quote(strings.TrimPrefix(summary.String(), filepath.Base(path)+": "))
	if proc.State().ExitCode() == exitRejects {
		d.screen.quote(talk.String())
	}
	return nil
}

// settle waits for the statistics of all that is committed.
func (d *demo) settle(ctx context.Context) error {
	answer, err := d.ask(ctx)
	if err != nil {
		return err
	}
	timer := time.NewTimer(settleTimeout)
	defer timer.Stop()
	for d.stats.last.Rows != answer.count(rowsLabel) {
		select {
		case msg := <-d.stats.messages:
			d.screen.snapshot(d.stats.take(msg))
		case <-d.consumer.proc.Done():
			return d.consumer.died()
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
			return fmt.Errorf("%w: no statistics of all %d rows within %s", ErrDisagree, answer.count(rowsLabel), settleTimeout)
		}
	}
	return nil
}
