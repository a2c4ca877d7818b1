package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"

	"github.com/urfave/cli/v3"

	"github.com/streamgauge/streamgauge/producer/internal/deliver"
	"github.com/streamgauge/streamgauge/producer/internal/progress"
	"github.com/streamgauge/streamgauge/shared/commandline"
)

const help = `Examples:
  producer 2012-1.csv                        send one file
  producer --wait 2012-*.csv                 return when all rows are stored
  producer --dry-run 2012-1.csv              check every row, send nothing
  producer drops/ --exclude 'validation*'    a folder's files but some
  producer drops.zip 2012-6.csv.gz           compressed: gzip, zstd, zip
  producer 'https://HOST/2012-1.csv?…'       a URL, presigned or not
  producer watch drops/                      files as they appear in a folder
  zcat big.csv.gz | producer -               standard input
  producer --delimiter ';' --decimal-comma --map price=precio ventas.csv

A file is told by its content: sending it again, under any name, loads nothing
twice. Standard output has one line a file; with --output json an object a line:
  file, source (the id), state (committed, queued, empty, checked, dead,
  refused, failed, interrupted), records, batches, new, already_loaded, rows,
  rejected (each null where it is not known),
  rejects [line, column, value, reason, raw], error.

A URL is fetched to the temporary folder first; a connection that breaks goes on
where it was. Share links of Google Drive work as they are. What stands in a URL
behind the path is neither shown nor stored. Quote it: a shell cuts it at &.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done with rejects or dead batches
(known with --wait or --dry-run), 130 interrupted.`

const watchHelp = `Examples:
  producer watch drops/                      what is there, then what appears
  producer watch --wait drops/               one after the other, each stored
  producer watch --settle 30s drops/         for writers that pause

It loads the .csv, .csv.gz, .csv.zst and .zip files directly in the folder, each
when its size and time of change have stayed the same for a while. Hidden files
and other names, such as a.csv.part, a.csv.tmp or a.csv~, are left alone: to be
safe, write under such a name and rename. A file that fails costs one line, and
is tried again when it has changed. Started again, it asks the database what is
loaded already.

It ends with SIGTERM, exit code 0, or Ctrl-C, exit code 130.`

// command is the whole command line. Progress is on shown, nil for none.
func command(stdout, stderr io.Writer, shown *progress.Display, log *slog.Logger) *cli.Command {
	options := flags()
	root := &cli.Command{
		Name:                      "producer",
		Usage:                     "loads CSV files into PostgreSQL through NATS JetStream",
		UsageText:                 "producer [options] FILE|FOLDER|PATTERN|URL|- ...",
		Description:               help,
		Version:                   version,
		HideHelpCommand:           true,
		DisableSliceFlagSeparator: true,
		Writer:                    stdout,
		ErrWriter:                 stderr,
		Flags:                     options,
		Commands:                  []*cli.Command{watchCommand(options, shown, log)},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			cfg, err := validConfig(cmd)
			if err != nil {
				return commandline.Refuse(cmd, "%w", err)
			}
			cfg.Progress = shown
			return deliver.Run(ctx, cfg, log)
		},
	}
	commandline.Prepare(root, stdout)
	return root
}

// watchCommand takes the options of loading, before its name and behind it: they
// are the very same flags.
func watchCommand(options []cli.Flag, shown *progress.Display, log *slog.Logger) *cli.Command {
	options = slices.DeleteFunc(slices.Clone(options), func(flag cli.Flag) bool { return slices.Contains(flag.Names(), flagFile) })
	return &cli.Command{
		Name:                      "watch",
		Usage:                     "load files as they appear in a folder, until it is stopped",
		UsageText:                 "producer watch [options] FOLDER",
		Description:               watchHelp,
		HideHelpCommand:           true,
		DisableSliceFlagSeparator: true,
		Flags: append(options, &cli.DurationFlag{
			Name: flagSettle, Local: true, Value: deliver.DefaultSettle,
			Usage: "a file is complete when it has not changed for `DURATION`",
		}),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			cfg, err := validConfig(cmd)
			switch {
			case cmd.IsSet(flagFile):
				return commandline.Refuse(cmd, "watch takes a folder, and no --file")
			case cmd.Args().Len() != 1:
				return commandline.Refuse(cmd, "watch takes one folder")
			case err != nil:
				return commandline.Refuse(cmd, "%w", err)
			}
			cfg.Progress = shown
			err = deliver.Watch(ctx, cfg, log)
			if err == nil && errors.Is(context.Cause(ctx), errInterrupted) {
				return &deliver.StoppedError{At: "stopped watching"}
			}
			return err
		},
	}
}

func validConfig(cmd *cli.Command) (deliver.Config, error) {
	cfg, err := config(cmd)
	if err == nil {
		err = cfg.Validate()
	}
	return cfg, err
}
