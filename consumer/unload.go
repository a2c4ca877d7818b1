package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/streamgauge/streamgauge/consumer/internal/report"
	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/shared/commandline"
)

const unloadHelp = `Takes a load back: its rows, its rejects, its part in the ledger and in the
statistics, all in one transaction. SOURCE is the load's name, its id, or the
first 8 or more characters of that. What is still queued of it is then ignored,
and its name is free. To load the same content again, give the producer --label.
The statistics are computed anew from all the rows that are left: with many rows
that takes a while, and consumers wait for it.

Examples:
  consumer unload 2012-1.csv        after a question
  consumer unload b6cb7b1c --yes    without one, for scripts

Exit codes: 0 done, 1 failed, 2 wrong usage.`

func unloadCommand(stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name:        "unload",
		Usage:       "take a load back",
		ArgsUsage:   "SOURCE",
		Description: unloadHelp,
		Flags: []cli.Flag{
			databaseFlag(), outputFlag(),
			&cli.BoolFlag{Name: "yes", Local: true, Usage: "don't ask"},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if cmd.Args().Len() != 1 {
				return commandline.Refuse(cmd, "give one SOURCE, as 'consumer loads' shows it")
			}
			if !cmd.Bool("yes") && !isTerminal(os.Stdin) {
				return commandline.Refuse(cmd, "nobody can be asked here: give --yes to take the load back without a question")
			}
			return withStore(ctx, cmd, func(database *store.Store) error {
				load, err := database.Find(ctx, cmd.Args().First())
				if err != nil {
					return err
				}
				if !cmd.Bool("yes") {
					fmt.Fprintf(stderr, "Take back %s: %s, %s, %d of %s?\n  id %s\n[y/N] ",
						report.Printable(load.Name), report.Count(load.Rows, "row"), report.Count(load.Rejected, "reject"),
						load.Done, report.Count(load.Batches, "batch"), report.Printable(load.Source))
					if !confirmed(interruptible{ctx, os.Stdin}) {
						tell(stderr, "nothing was changed")
						return errTold
					}
				}
				unloaded, err := database.Unload(ctx, load.Source)
				if err != nil {
					return err
				}
				return report.Printer{Out: stdout, JSON: asJSON(cmd)}.Unloaded(unloaded)
			})
		},
	}
}

// confirmed reads a line, which has to say yes.
func confirmed(in io.Reader) bool {
	answer, _ := bufio.NewReader(in).ReadString('\n') // an end without an answer is none
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes"
}
