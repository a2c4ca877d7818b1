package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/urfave/cli/v3"

	"github.com/streamgauge/streamgauge/consumer/internal/consume"
	"github.com/streamgauge/streamgauge/consumer/internal/pipeline"
	"github.com/streamgauge/streamgauge/shared/commandline"
	"github.com/streamgauge/streamgauge/shared/topology"
)

func runCommand(logger *slog.Logger) *cli.Command {
	return &cli.Command{
		Name:  "consumer",
		Usage: "store batches from NATS JetStream in PostgreSQL, each once, with running statistics",
		Description: `Examples:
  consumer                          store what comes, until it is stopped
  consumer --http 127.0.0.1:8080    and show it on a live page
  consumer stats                    the statistics beside the table's own
  consumer stats --by day           the same for each day, source, month or user
  consumer stats --watch            follow them as they change
  consumer loads                    each source that was loaded
  consumer verify 2012-1.csv        compare a file with the database
  consumer rejects ls               what could not be stored, and why
  consumer unload 2012-1.csv        take a load back
  consumer doctor                   look at all it stands on

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 some records or messages can't be
stored, 4 two sides do not agree, 5 stalled and to be started again,
130 interrupted.`,
		Flags: append(natsFlags(),
			databaseFlag(),
			&cli.IntFlag{Name: "batches-per-commit", Local: true, Usage: "merge at most `N` batches into one transaction; 1 also keeps their order", Value: pipeline.DefaultBatchesPerCommit},
			&cli.BoolFlag{Name: "migrate", Local: true, Usage: "bring the schema up to date first; --migrate=false only checks it", Value: true},
			&cli.Int64Flag{Name: "max-bytes", Local: true, Usage: "size of the stream ROWS in `BYTES`, when it is created", Value: topology.DefaultMaxBytes},
			&cli.StringFlag{Name: "http", Local: true, Usage: "serve the live page, /metrics, /livez and /readyz on `HOST:PORT`, such as 127.0.0.1:8080", Sources: cli.EnvVars("STREAMGAUGE_HTTP")},
			&cli.IntFlag{Name: "replicas", Local: true, Usage: "`N` replicas of the streams, 1, 3 or 5, when they are created", Value: 1},
		),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			config := consume.Config{
				Server:           server(cmd),
				DatabaseURL:      cmd.String(flagDatabase),
				Topology:         topology.Config{MaxBytes: cmd.Int64("max-bytes"), Replicas: cmd.Int("replicas")},
				BatchesPerCommit: cmd.Int("batches-per-commit"),
				Migrate:          cmd.Bool("migrate"),
				HTTP:             cmd.String("http"),
				Version:          version,
			}
			if err := config.Validate(); err != nil {
				return commandline.Refuse(cmd, "%w", err)
			}
			err := consume.Run(ctx, config, logger)
			if errors.Is(err, context.Canceled) && ctx.Err() != nil {
				return nil // it is done when it is told to stop
			}
			return err
		},
	}
}
