package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/streamgauge/streamgauge/producer/internal/columns"
	"github.com/streamgauge/streamgauge/producer/internal/deliver"
	"github.com/streamgauge/streamgauge/shared/topology"
)

// Names of flags that are asked for by name.
const (
	flagFile   = "file"
	flagSettle = "settle"
)

func flags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: flagFile, Aliases: []string{"f"}, Usage: "`FILE`, folder, pattern or URL to load, - for standard input; the word --file may be left out"},
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
		&cli.StringFlag{Name: "rate", Usage: "send at most `N` rows a second, a batch at a time, as in 200, 10k or 1.5M"},
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
		Inputs:     append(cmd.StringSlice(flagFile), cmd.Args().Slice()...),
		Exclude:    cmd.StringSlice("exclude"),
		Columns: columns.Options{
			Delimiter: delimiter(cmd.String("delimiter")), DecimalComma: cmd.Bool("decimal-comma"),
			Map: mapped, NoHeader: cmd.Bool("no-header"),
			TimestampFormat: cmd.String("timestamp-format"), Timezone: cmd.String("timezone"),
		},
		BatchSize: cmd.Int("batch-size"), Label: cmd.String("label"), AllowChanged: cmd.Bool("allow-changed"),
		Settle: cmd.Duration(flagSettle),
		Wait:   cmd.Bool("wait"), DryRun: cmd.Bool("dry-run"),
		Out: os.Stdout, JSON: output == "json",
	}
	if cmd.IsSet("rate") {
		if cfg.Rate, err = rate(cmd.String("rate")); err != nil {
			return deliver.Config{}, err
		}
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
	if cmd.IsSet("replicas") && cmd.Int("replicas") < 1 {
		return fmt.Errorf("--replicas is at least 1, not %d", cmd.Int("replicas"))
	}
	if cmd.IsSet("batch-size") {
		if err := deliver.CheckBatchSize(cmd.Int("batch-size")); err != nil {
			return err
		}
	}
	if cmd.IsSet(flagSettle) {
		return deliver.CheckSettle(cmd.Duration(flagSettle))
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
