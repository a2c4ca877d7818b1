// Command producer loads CSV files: it cuts their rows into small batches and
// publishes them to JetStream, from where consumer brings them into PostgreSQL.
package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"
	_ "time/tzdata" // the image holds no time zones

	_ "golang.org/x/crypto/x509roots/fallback" // nor certificates

	"github.com/streamgauge/streamgauge/producer/internal/deliver"
	"github.com/streamgauge/streamgauge/producer/internal/progress"
	"github.com/streamgauge/streamgauge/shared/commandline"
)

// version is set when a release is linked.
var version = "0.0.0-dev"

// Exit codes.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitIncomplete  = 3
	exitInterrupted = 130
)

// stopTimeout is how long an interrupted run may take to end: the grace it
// gives to acks on their way, and a moment.
const stopTimeout = 5 * time.Second

// tellTimeout is how long a signal waits to be told.
const tellTimeout = time.Second

// memoryLimit makes the collector work harder before the process outgrows its
// promise of 64 MB, of which the program itself takes a part. It is a soft limit,
// and GOMEMLIMIT overrides it.
const memoryLimit = 48 << 20

func main() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	shown := progress.New(os.Stderr, os.Getenv)
	talk := newTalk(shown, commandline.Columns(os.Stderr))
	log := slog.New(talk)
	shown.Tell(func(line string) { log.Info(line) })
	ctx := untilSignal(log, newTalk(os.Stderr, commandline.Columns(os.Stderr)))
	done := make(chan error, 1)
	go func() { done <- command(os.Stdout, os.Stderr, shown, log).Run(ctx, os.Args) }()
	code, text := exit(await(ctx, done))
	if text != "" {
		talk.say(text)
	}
	os.Exit(code)
}

// errInterrupted is the cause of a context that Ctrl-C has ended.
var errInterrupted = errors.New("interrupted")

// untilSignal returns a context that ends with the first signal, its cause
// errInterrupted if that is SIGINT. The second one ends the process, whatever it
// is doing, with last words that pass by what is shown.
func untilSignal(log *slog.Logger, last *talk) context.Context {
	ctx, stop := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		first := <-signals
		atMost(tellTimeout, func() {
			log.Info("stopping, nothing is lost: what is sent stays queued, and the same command continues. Ctrl-C again ends at once")
		})
		if first == os.Interrupt {
			stop(errInterrupted)
		} else {
			stop(nil)
		}
		<-signals
		atMost(tellTimeout, func() { last.say("ended at once, nothing is lost: the same command continues") })
		os.Exit(exitInterrupted)
	}()
	return ctx
}

// atMost runs f, and goes on without it when that takes too long: nobody may be
// reading what it writes.
func atMost(limit time.Duration, f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(limit):
	}
}

// await returns the command's error, or gives up on a command that does not
// end after an interrupt, as one that reads from a file system that hangs.
func await(ctx context.Context, done <-chan error) error {
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-done:
		return err
	case <-time.After(stopTimeout):
		return &deliver.StoppedError{At: "stopped while something did not answer"}
	}
}

// exit returns the process's exit code for err, and what is to be told of it.
func exit(err error) (code int, text string) {
	var stopped *deliver.StoppedError
	switch {
	case err == nil:
		return exitDone, ""
	case errors.Is(err, deliver.ErrIncomplete):
		// The rejects and dead batches have been told.
		return exitIncomplete, ""
	case commandline.IsMistake(err):
		return exitUsage, err.Error()
	case errors.As(err, &stopped), errors.Is(err, context.Canceled):
		return exitInterrupted, err.Error()
	}
	return exitFailed, err.Error()
}
