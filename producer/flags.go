package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/streamgauge/streamgauge/producer/internal/columns"
	"github.com/streamgauge/streamgauge/producer/internal/deliver"
	"github.com/streamgauge/streamgauge/shared/commandline"
	"github.com/streamgauge/streamgauge/shared/topology"
)

const help = `Examples:
  producer 2012-1.csv                        send one file
  producer --wait 2012-*.csv                 return when all rows are stored
  producer --dry-run 2012-1.csv              check every row, send nothing
  producer drops/ --exclude 'validation*'    the .csv files of a folder but some
  producer drops.zip 2012-6.csv.gz           compressed: gzip, zstd, zip
  zcat big.csv.gz | producer -               standard input
  producer --delimiter ';' --decimal-comma --map price=precio ventas.csv

A file is told by its content: sending it again, under any name, loads nothing
twice. Standard output has one line a file; with --output json an object a line:
  file, source (the id), state (committed, queued, empty, checked, dead,
  refused, failed, interrupted), records, batches, new, already_loaded, rows,
  rejected (each null where it is not known),
  rejects [line, column, reason, raw], error.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done with rejects or dead batches
(known with --wait or --dry-run), 130 interrupted.`

func command(stdout, stderr io.Writer, log *slog.Logger) *cli.Command {
	root := &cli.Command{
		Name:                      "producer",
		Usage:                     "loads CSV files into PostgreSQL through NATS JetStream",
		UsageText:                 "producer [options] FILE|FOLDER|PATTERN|- ...",
		Description:               help,
		Version:                   version,
		HideHelpCommand:           true,
		DisableSliceFlagSeparator: true,
		Writer:                    stdout,
		ErrWriter:                 stderr,
		Flags:                     flags(),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			cfg, err := config(cmd)
			if err == nil {
				err = cfg.Validate()
			}
			if err != nil {
				return commandline.Refuse(cmd, "%w", err)
			}
			return deliver.Run(ctx, cfg, log)
		},
	}
	commandline.Prepare(root, stdout)
	return root
}

func flags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "file", Aliases: []string{"f"}, Usage: "`FILE`, folder or pattern to load, - for standard input; the word --file may be left out"},
		&cli.StringSliceFlag{Name: "exclude", Usage: "leave out files that match `PATTERN`"},
		&cli.BoolFlag{Name: "wait", Aliases: []string{"w"}, Usage: "return when every row is stored, sending again what the broker loses"},
		&cli.BoolFlag{Name: "dry-run", Aliases: []string{"n"}, Usage: "read and check every row, send nothing"},
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Value: "text", Usage: "`FORMAT` of the summaries, text or json"},

		&cli.StringFlag{Name: "delimiter", Aliases: []string{"d"}, Value: ",", Usage: "the `CHARACTER` between fields; tab or \\t for a tab"},
		&cli.BoolFlag{Name: "decimal-comma", Usage: "prices have a decimal comma: 1,5"},
		&cli.StringSliceFlag{Name: "map", Usage: "`COLUMN=NAME`: what the file calls timestamp, price or user_id"},
		&cli.BoolFlag{Name: "no-header", Usage: "the first line is data already"},
		&cli.StringFlag{Name: "columns", Usage: "`NAMES` of the columns without a header (default: timestamp,price,user_id)"},
		&cli.StringFlag{Name: "timestamp-format", Usage: "strptime `FORMAT` of the timestamps, as in %d/%m/%Y (default: ISO 8601 or month/day/year)"},
		&cli.StringFlag{Name: "timezone", Usage: "`ZONE` of timestamps that name none, as in Europe/Madrid (default: UTC)"},

		&cli.StringFlag{Name: "label", Usage: "load the same content again, as a source of its own called `LABEL`"},
		&cli.BoolFlag{Name: "allow-changed", Usage: "load a file whose name was loaded with other content, besides that"},
		&cli.IntFlag{Name: "batch-size", Value: deliver.DefaultBatchSize, Usage: "at most `N` records in a batch"},

		&cli.StringFlag{Name: "server", Aliases: []string{"s"}, Usage: "`URL` of NATS (default: nats://127.0.0.1:4222) [$NATS_URL]"},
		&cli.StringFlag{Name: "creds", Usage: "credentials `FILE` [$NATS_CREDS]"},
		&cli.StringFlag{Name: "context", Usage: "`NAME` of a context of the nats command, instead of the two [$NATS_CONTEXT]"},
		&cli.Int64Flag{Name: "max-bytes", HideDefault: true, Usage: "size of the stream ROWS in `BYTES`, when it is created (default: 1 GiB)"},
		&cli.IntFlag{Name: "replicas", HideDefault: true, Usage: "`N` replicas of the streams, when they are created (default: 1)"},
	}
}

func config(cmd *cli.Command) (deliver.Config, error) {
	mapped, err := mapping(cmd.StringSlice("map"))
	if err != nil {
		return deliver.Config{}, err
	}
	output := cmd.String("output")
	if output != "text" && output != "json" {
		return deliver.Config{}, fmt.Errorf("--output is text or json, not %q", output)
	}
	cfg := deliver.Config{
		Server:     server(cmd),
		Streams:    topology.Config{MaxBytes: cmd.Int64("max-bytes"), Replicas: cmd.Int("replicas")},
		SizesGiven: cmd.IsSet("max-bytes") || cmd.IsSet("replicas"),
		Inputs:     append(cmd.StringSlice("file"), cmd.Args().Slice()...),
		Exclude:    cmd.StringSlice("exclude"),
		Columns: columns.Options{
			Delimiter: delimiter(cmd.String("delimiter")), DecimalComma: cmd.Bool("decimal-comma"),
			Map: mapped, NoHeader: cmd.Bool("no-header"),
			TimestampFormat: cmd.String("timestamp-format"), Timezone: cmd.String("timezone"),
		},
		BatchSize: cmd.Int("batch-size"), Label: cmd.String("label"), AllowChanged: cmd.Bool("allow-changed"),
		Wait: cmd.Bool("wait"), DryRun: cmd.Bool("dry-run"),
		Out: os.Stdout, JSON: output == "json",
	}
	if cmd.IsSet("columns") {
		cfg.Columns.Names = strings.Split(cmd.String("columns"), ",")
	}
	return cfg, explicit(cmd)
}

// explicit refuses values that would pass for the default.
func explicit(cmd *cli.Command) error {
	for _, name := range []string{"label", "delimiter"} {
		if cmd.IsSet(name) && cmd.String(name) == "" {
			return fmt.Errorf("--%s is empty", name)
		}
	}
	for _, name := range []string{"batch-size", "replicas"} {
		if cmd.IsSet(name) && cmd.Int(name) < 1 {
			return fmt.Errorf("--%s is at least 1, not %d", name, cmd.Int(name))
		}
	}
	return nil
}

func server(cmd *cli.Command) topology.Server {
	given := topology.Server{URL: cmd.String("server"), Creds: cmd.String("creds"), Context: cmd.String("context")}
	return given.OrEnvironment(os.Getenv)
}

func delimiter(text string) string {
	if text == "tab" || text == `\t` {
		return "\t"
	}
	return text
}

// mapping reads COLUMN=NAME.
func mapping(pairs []string) (map[string]string, error) {
	mapped := make(map[string]string, len(pairs))
	for _, pair := range pairs {
		column, name, found := strings.Cut(pair, "=")
		column, name = strings.ToLower(strings.TrimSpace(column)), strings.TrimSpace(name)
		if !found || name == "" {
			return nil, fmt.Errorf("--map is COLUMN=NAME, as in price=precio, not %q", pair)
		}
		if _, twice := mapped[column]; twice {
			return nil, fmt.Errorf("--map says twice what %q is", column)
		}
		mapped[column] = name
	}
	return mapped, nil
}
