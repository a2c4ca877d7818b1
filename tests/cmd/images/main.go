// Command images chooses, and where needed builds, the NATS and PostgreSQL
// images that the tests and the compose file run, and prints them as shell
// assignments:
//
//	export $(go run ./tests/cmd/images)
//	docker compose up
//
// One line on standard error says what was chosen and why. It exits with 1
// where there is no Docker engine and REQUIRE_DOCKER=1 is set; without the
// latter the tests run against processes, and nothing is printed on standard
// output.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/streamgauge/streamgauge/tests/checkout"
	"github.com/streamgauge/streamgauge/tests/engine"
	"github.com/streamgauge/streamgauge/tests/images"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "images:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	root, err := checkout.Root()
	if err != nil {
		return err
	}
	eng, err := engine.Find(ctx)
	if errors.Is(err, engine.ErrNone) && os.Getenv("REQUIRE_DOCKER") != "1" {
		fmt.Fprintf(os.Stderr, "images: none needed, the tests run against processes (%v)\n", err)
		return nil
	}
	if err != nil {
		return err
	}
	defer eng.Close()
	set, err := images.Resolve(ctx, root, eng)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "images:", set)
	fmt.Printf("NATS_IMAGE=%s\nPOSTGRES_IMAGE=%s\n", set.NATS.Ref, set.Postgres.Ref)
	return nil
}
