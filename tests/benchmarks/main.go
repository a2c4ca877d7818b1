// The benchmark loads the same rows by the pair and by others, side by side and
// in turn, and says what each took. It passes no judgement: it fails only when
// a load is not exact. See docs/benchmarks.md.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(exit()) }

func exit() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case err == nil:
		return 0
	case isUsage(err):
		return 2
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "benchmarks: stopped")
		return 130
	}
	fmt.Fprintln(os.Stderr, "benchmarks:", err)
	return 1
}
