package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/urfave/cli/v3"

	"github.com/streamgauge/streamgauge/consumer/internal/correct"
	"github.com/streamgauge/streamgauge/consumer/internal/report"
	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/shared/commandline"
)

const rejectsHelp = `SOURCE is a load's name, its id, or the first 8 characters of that or more.

Examples:
  consumer rejects ls                          what could not be stored, and why
  consumer rejects export 2012-1.csv > bad.csv the records, to correct them
  consumer rejects replay bad.csv              store those that are right now

The list is CSV: correct the column record, as it would stand in the file.
A record goes in once, however often the list is replayed.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 some are still wrong.`

func rejectsCommand(stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name:        "rejects",
		Usage:       "records that could not be stored: list, correct and replay them",
		Description: rejectsHelp,
		Action:      needsCommand("ls, show, export or replay"),
		Commands: []*cli.Command{
			{
				Name: "ls", Usage: "list them", ArgsUsage: "[SOURCE]",
				Flags: []cli.Flag{databaseFlag(), outputFlag(), limitFlag()},
				Action: func(ctx context.Context, cmd *cli.Command) error {
					return listRejects(ctx, cmd, stdout)
				},
			},
			{
				Name: "show", Usage: "one of them with all its bytes", ArgsUsage: "SOURCE LINE",
				Flags: []cli.Flag{databaseFlag(), outputFlag()},
				Action: func(ctx context.Context, cmd *cli.Command) error {
					return showReject(ctx, cmd, stdout)
				},
			},
			{
				Name: "export", Usage: "write them as CSV, to be corrected", ArgsUsage: "[SOURCE]",
				Flags: []cli.Flag{databaseFlag()},
				Action: func(ctx context.Context, cmd *cli.Command) error {
					return exportRejects(ctx, cmd, stdout, stderr)
				},
			},
			{
				Name: "replay", Usage: "store the corrected records of a list, - for standard input", ArgsUsage: "FILE|-",
				Flags: []cli.Flag{databaseFlag(), outputFlag()},
				Action: func(ctx context.Context, cmd *cli.Command) error {
					return replayRejects(ctx, cmd, stdout, stderr)
				},
			},
		},
	}
}

// oneSource returns the argument that names a load, empty where none is given.
func oneSource(cmd *cli.Command) (string, error) {
	if cmd.Args().Len() > 1 {
		return "", commandline.Refuse(cmd, "one SOURCE at most, not %d arguments", cmd.Args().Len())
	}
	return cmd.Args().First(), nil
}

func listRejects(ctx context.Context, cmd *cli.Command, stdout io.Writer) error {
	given, err := oneSource(cmd)
	if err != nil {
		return err
	}
	printer := report.Printer{Out: stdout, JSON: asJSON(cmd)}
	return withStore(ctx, cmd, func(database *store.Store) error {
		shown := int64(0)
		total, err := database.Rejects(ctx, given, cmd.Int64("limit"), func(r *store.StoredReject) error {
			shown++
			return printer.Reject(r)
		})
		if err != nil || printer.JSON {
			return err
		}
		return printer.More(shown, total, "reject")
	})
}

func showReject(ctx context.Context, cmd *cli.Command, stdout io.Writer) error {
	if cmd.Args().Len() != 2 {
		return commandline.Refuse(cmd, "give SOURCE and LINE, as 'consumer rejects ls' shows them")
	}
	line, err := strconv.ParseInt(cmd.Args().Get(1), 10, 64)
	if err != nil {
		return commandline.Refuse(cmd, "%q is no line number", cmd.Args().Get(1))
	}
	return withStore(ctx, cmd, func(database *store.Store) error {
		reject, err := database.Reject(ctx, cmd.Args().First(), line)
		if err != nil {
			return err
		}
		return report.Printer{Out: stdout, JSON: asJSON(cmd)}.RejectWhole(reject)
	})
}

// exportRejects writes the records' bytes as they are: a file or another
// program takes them, a terminal must not.
func exportRejects(ctx context.Context, cmd *cli.Command, stdout, stderr io.Writer) error {
	given, err := oneSource(cmd)
	if err != nil {
		return err
	}
	if isTerminal(stdout) {
		return commandline.Refuse(cmd, "the records' bytes are not for a terminal: write them to a file with '> bad.csv', or list them with 'consumer rejects ls'")
	}
	return withStore(ctx, cmd, func(database *store.Store) error {
		writer := correct.NewWriter(stdout)
		written, cut := 0, 0
		_, err := database.Rejects(ctx, given, -1, func(r *store.StoredReject) error {
			if r.Cut() {
				cut++
				return nil
			}
			written++
			return writer.Write(r)
		})
		if err != nil {
			return err
		}
		if err := writer.Close(); err != nil {
			return err
		}
		tell(stderr, report.Count(int64(written), "record")+". Correct the column record, then: consumer rejects replay FILE")
		if cut > 0 {
			tell(stderr, fmt.Sprintf("%d left out: of a record over 64 KiB only the beginning is kept", cut))
		}
		return nil
	})
}

func replayRejects(ctx context.Context, cmd *cli.Command, stdout, stderr io.Writer) error {
	if cmd.Args().Len() != 1 {
		return commandline.Refuse(cmd, "give one list, as 'consumer rejects export' writes it, or - for standard input")
	}
	list := io.ReadCloser(os.Stdin)
	if path := cmd.Args().First(); path != "-" {
		var err error
		if list, err = open(path); err != nil {
			return fmt.Errorf("%s: %w", report.Printable(path), err)
		}
	}
	defer list.Close()
	corrected := interruptible{ctx, list}
	printer := report.Printer{Out: stdout, JSON: asJSON(cmd)}
	return withStore(ctx, cmd, func(database *store.Store) error {
		count := make(map[correct.State]int)
		err := correct.Replay(ctx, corrected, database, func(o *correct.Outcome) error {
			count[o.State]++
			if o.State == correct.Corrected && !printer.JSON {
				return nil
			}
			return printer.Replayed(o)
		})
		tell(stderr, fmt.Sprintf("%d corrected, %d still wrong, %d no reject or corrected already",
			count[correct.Corrected], count[correct.StillWrong], count[correct.NotRejected]))
		if err == nil && count[correct.StillWrong] > 0 {
			return errIncomplete
		}
		return err
	})
}
