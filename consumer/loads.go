package main

import (
	"context"
	"fmt"
	"io"

	"github.com/urfave/cli/v3"

	"github.com/streamgauge/streamgauge/consumer/internal/follow"
	"github.com/streamgauge/streamgauge/consumer/internal/report"
	"github.com/streamgauge/streamgauge/consumer/internal/store"
)

func loadsCommand(stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name:  "loads",
		Usage: "each source: rows, rejects, what is missing, the statistics before and after it",
		Flags: append(natsFlags(), databaseFlag(), outputFlag()),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			printer := report.Printer{Out: stdout, JSON: asJSON(cmd)}
			err := withStore(ctx, cmd, func(database *store.Store) error {
				return database.Histories(ctx, printer.History)
			})
			if err != nil || printer.JSON {
				return err
			}
			backlog, err := follow.Backlog(ctx, server(cmd))
			if err != nil {
				tell(stderr, "backlog unknown: "+err.Error())
				return nil
			}
			_, err = fmt.Fprintln(stdout, backlog)
			return err
		},
	}
}
