// The consumer stores batches of CSV records from NATS JetStream in PostgreSQL,
// each once, and keeps running statistics that it publishes on stats.price.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // The image has no zone files.

	"github.com/urfave/cli/v3"
	_ "golang.org/x/crypto/x509roots/fallback" // Nor certificates.

	"github.com/streamgauge/streamgauge/consumer/internal/consume"
	"github.com/streamgauge/streamgauge/consumer/internal/report"
	"github.com/streamgauge/streamgauge/shared/commandline"
)

// version is set when the binary is linked.
var version = "0.0.0-dev"

// Exit codes.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitIncomplete  = 3
	exitDisagree    = 4
	exitStalled     = 5
	exitInterrupted = 130
)

// memoryLimit makes the collector work harder before the process outgrows its
// promise of 128 MB. It is a soft limit, and GOMEMLIMIT overrides it.
const memoryLimit = 96 << 20

func main() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	os.Exit(run(os.Args, os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := untilSignal()
	defer stop()
	logger := slog.New(slog.NewTextHandler(stderr, nil))
	err := newCommand(stdout, stderr, logger).Run(ctx, args)
	switch {
	case errors.Is(context.Cause(ctx), errInterrupted):
		return exitInterrupted
	case err == nil:
		return exitDone
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		tell(stderr, "terminated before it was done. Run the same command again")
		return exitFailed
	case consume.IsStalled(err):
		tell(stderr, err.Error())
		return exitStalled
	case errors.Is(err, errDisagree):
		return exitDisagree
	case errors.Is(err, errIncomplete):
		return exitIncomplete
	case errors.Is(err, errTold):
		return exitFailed
	case commandline.IsMistake(err):
		tell(stderr, err.Error())
		return exitUsage
	}
	tell(stderr, err.Error())
	return exitFailed
}

// tell says one thing to people: in one line, which a terminal gets broken
// between words.
func tell(stderr io.Writer, text string) {
	fmt.Fprintln(stderr, commandline.Break("consumer: "+report.OneLine(text), commandline.Columns(stderr)))
}

// untilSignal returns a context that ends with the first SIGINT, whose cause is
// then errInterrupted, or SIGTERM. The next signal ends the process at once.
func untilSignal() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		s := <-signals
		signal.Stop(signals)
		if s == os.Interrupt {
			cancel(errInterrupted)
		} else {
			cancel(context.Canceled)
		}
	}()
	return ctx, func() { cancel(context.Canceled) }
}

func newCommand(stdout, stderr io.Writer, logger *slog.Logger) *cli.Command {
	root := runCommand(logger)
	root.Version = version
	root.Writer, root.ErrWriter = stdout, stderr
	root.Commands = []*cli.Command{
		statsCommand(stdout, stderr), loadsCommand(stdout, stderr), verifyCommand(stdout, stderr),
		rejectsCommand(stdout, stderr), deadCommand(stdout, stderr), unloadCommand(stdout, stderr), doctorCommand(stdout), migrateCommand(stdout, logger),
	}
	commandline.Prepare(root, stdout)
	return root
}
