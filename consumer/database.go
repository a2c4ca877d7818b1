package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/urfave/cli/v3"

	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/shared/commandline"
)

// sessions is how many a command opens at most: one for its work, one that frees
// it from what blocks it.
const sessions = 2

// withStore calls f with the database that the flags name. What f fails with
// gets its remedy.
func withStore(ctx context.Context, cmd *cli.Command, f func(*store.Store) error) error {
	pool, err := store.Connect(ctx, cmd.String(flagDatabase), sessions)
	if err != nil {
		return err
	}
	defer pool.Close()
	err = f(store.New(pool, slog.New(slog.DiscardHandler)))
	if err == nil || errors.Is(err, errIncomplete) || errors.Is(err, errDisagree) || errors.Is(err, errTold) || ctx.Err() != nil || commandline.IsMistake(err) {
		return err
	}
	return store.Remedy(err)
}
