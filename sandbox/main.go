// The sandbox runs NATS and PostgreSQL on this machine for trying streamgauge
// out, shows the whole of it in a demo, and makes sample files.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"unicode"

	"github.com/urfave/cli/v3"

	"github.com/streamgauge/streamgauge/sandbox/internal/demo"
	"github.com/streamgauge/streamgauge/shared/commandline"
)

// version is set when the binary is linked.
var version = "0.0.0-dev"

// Exit codes.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitRejects     = 3
	exitDisagree    = 4
	exitInterrupted = 130
)

func main() {
	// A closed standard output is an error to clean up after, not the end.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	os.Exit(run(os.Args, os.Stdout, os.Stderr))
}

func run(args []string, stdout *os.File, stderr io.Writer) int {
	ctx, stop := untilSignal()
	defer stop()
	logger := slog.New(slog.NewTextHandler(stderr, nil))
	err := newCommand(stdout, stderr, logger).Run(ctx, args)
	switch {
	case err == nil:
		return exitDone
	case commandline.IsMistake(err):
		fmt.Fprintf(stderr, "sandbox: %s\n", oneLine(err))
		return exitUsage
	case errors.Is(err, syscall.EPIPE):
		return exitFailed // whoever closed standard output knows
	case context.Cause(ctx) != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "sandbox: interrupted")
		return exitInterrupted
	case errors.Is(err, demo.ErrDisagree):
		fmt.Fprintf(stderr, "sandbox: %s\n", oneLine(err))
		return exitDisagree
	case errors.Is(err, demo.ErrRejects):
		fmt.Fprintf(stderr, "sandbox: %s\n", oneLine(err))
		return exitRejects
	}
	fmt.Fprintf(stderr, "sandbox: %s\n", oneLine(err))
	return exitFailed
}

// untilSignal returns a context that ends with the first SIGINT, SIGTERM, or
// SIGHUP of a closed terminal. The next signal ends the process at once; what
// it leaves the next run removes.
func untilSignal() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		<-signals
		signal.Stop(signals)
		cancel(fmt.Errorf("%w: %w", errInterrupted, context.Canceled))
	}()
	return ctx, func() { cancel(nil) }
}

// oneLine is an error's text without line ends and other control characters,
// which it may quote from a server's log.
func oneLine(err error) string {
	clean := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, err.Error())
	return strings.Join(strings.Fields(clean), " ")
}

func newCommand(stdout *os.File, stderr io.Writer, logger *slog.Logger) *cli.Command {
	root := serveCommand(stdout, logger)
	root.Version = version
	root.Writer, root.ErrWriter = stdout, stderr
	root.Commands = []*cli.Command{envCommand(stdout), demoCommand(stdout, logger), genCommand(stdout, stderr)}
	root.HideHelpCommand = true
	commandline.Prepare(root, stdout)
	return root
}
