package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/urfave/cli/v3"

	"github.com/streamgauge/streamgauge/consumer/internal/follow"
	"github.com/streamgauge/streamgauge/consumer/internal/report"
	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/shared/commandline"
	"github.com/streamgauge/streamgauge/shared/stats"
	"github.com/streamgauge/streamgauge/shared/topology"
)

const (
	flagWatch = "watch"
	flagBy    = "by"
)

func statsCommand(stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name:  "stats",
		Usage: "the running statistics beside the database's own SELECT",
		Description: `Without --by, all that is kept is compared with the table: exit code 4 where
anything differs. With it, the statistics of each source, day or month in UTC
are shown as they are kept. None are kept of users: theirs are a query over all
rows.`,
		Flags: append(natsFlags(), databaseFlag(), outputFlag(),
			&cli.StringFlag{Name: flagBy, Local: true, Usage: "for each `GROUP`: source, day, month or user", Validator: func(v string) error {
				switch stats.By(v) {
				case stats.BySource, stats.ByDay, stats.ByMonth, stats.ByUser:
					return nil
				}
				return errors.New("it is source, day, month or user")
			}},
			&cli.BoolFlag{Name: flagWatch, Local: true, Usage: "follow " + topology.SubjectStats + " instead, until stopped"}),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			printer := report.Printer{Out: stdout, JSON: asJSON(cmd)}
			by := stats.By(cmd.String(flagBy))
			if cmd.Bool(flagWatch) {
				if by != "" {
					return commandline.Refuse(cmd, "--watch follows the whole: 'nats sub --raw \"%s.%s.*\"' follows each", topology.SubjectStats, by)
				}
				return watch(ctx, cmd, printer)
			}
			return withStore(ctx, cmd, func(database *store.Store) error {
				if by != "" {
					return breakDown(ctx, database, by, printer, stderr)
				}
				comparison, err := database.Compare(ctx)
				if err != nil {
					return err
				}
				if err := printer.Comparison(comparison); err != nil {
					return err
				}
				if !comparison.Agree() {
					return errDisagree
				}
				return nil
			})
		},
	}
}

func watch(ctx context.Context, cmd *cli.Command, printer report.Printer) error {
	show := printer.Snapshot
	if !printer.JSON && isTerminal(printer.Out) {
		live := report.Live{Out: printer.Out}
		show = live.Snapshot
	}
	return follow.Run(ctx, server(cmd), show)
}

func breakDown(ctx context.Context, database *store.Store, by stats.By, printer report.Printer, stderr io.Writer) error {
	if by == stats.ByUser {
		fmt.Fprintf(stderr, "consumer: no statistics are kept by %s: reading all rows\n", by)
	}
	list := report.Breakdown{Printer: printer}
	if err := database.Breakdown(ctx, by, list.Group); err != nil {
		return err
	}
	return list.End()
}
