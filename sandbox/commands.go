package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/urfave/cli/v3"

	"github.com/streamgauge/streamgauge/sandbox/gen"
	"github.com/streamgauge/streamgauge/sandbox/internal/demo"
	"github.com/streamgauge/streamgauge/sandbox/internal/serve"
	"github.com/streamgauge/streamgauge/sandbox/internal/servers"
	"github.com/streamgauge/streamgauge/shared/commandline"
)

// A PostgreSQL comes from the environment: the same variables as the
// consumer's and the compose file's.
func databaseFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Local: true, Name: "database-url", Usage: "PostgreSQL `URL` to use instead of starting a server", Sources: cli.EnvVars("DATABASE_URL")},
		&cli.StringFlag{Local: true, Name: "postgres-image", Usage: "`IMAGE` to run where PostgreSQL has to come from Docker", Sources: cli.EnvVars("POSTGRES_IMAGE"), DefaultText: "the compose file's"},
	}
}

func serveCommand(stdout io.Writer, logger *slog.Logger) *cli.Command {
	return &cli.Command{
		Name:  "sandbox",
		Usage: "NATS and PostgreSQL on this machine, for trying streamgauge out",
		Description: `Examples:
  sandbox                           both servers, until Ctrl-C
  sandbox --keep ~/streamgauge      the data is there again next time
  eval "$(sandbox env)"             in other terminals: how to reach them
  sandbox demo                      the whole of it on the screen, start to end
  sandbox demo --page               the same, and a live page in the browser
  sandbox gen --rows 1000000 --output big.csv

Starts both on 127.0.0.1, says how to reach them, and stays until Ctrl-C.
PostgreSQL is, whichever is first: the server that DATABASE_URL names; a private
one from the server's binaries on this machine; one in Docker. Without --keep
nothing is left behind.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 demo: records were rejected,
4 demo: the statistics do not agree, 130 interrupted.`,
		Flags: append([]cli.Flag{
			&cli.IntFlag{Local: true, Name: "nats-port", Usage: "`PORT` for NATS", DefaultText: "4222, or a free one if that is taken"},
			&cli.IntFlag{Local: true, Name: "postgres-port", Usage: "`PORT` for PostgreSQL", DefaultText: "5432, or a free one if that is taken"},
			&cli.StringFlag{Local: true, Name: "keep", Usage: "keep the data in `DIR`, and use what is there", TakesFile: true},
			&cli.BoolFlag{Local: true, Name: "show-password", Usage: "show PostgreSQL's password"},
			&cli.StringFlag{Local: true, Name: "output", Usage: "text, or json: one object with the addresses", Value: "text", Validator: textOrJSON},
		}, databaseFlags()...),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			config := serve.Config{
				Servers: servers.Config{
					NATSPort:     cmd.Int("nats-port"),
					PostgresPort: cmd.Int("postgres-port"),
					Keep:         cmd.String("keep"),
					DatabaseURL:  cmd.String("database-url"),
					Image:        cmd.String("postgres-image"),
				},
				JSON:         cmd.String("output") == "json",
				ShowPassword: cmd.Bool("show-password"),
			}
			if err := config.Validate(); err != nil {
				return commandline.Refuse(cmd, "%w", err)
			}
			return serve.Run(ctx, config, stdout, logger)
		},
	}
}

func envCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:  "env",
		Usage: "print the addresses of the sandbox that runs, for a shell to read",
		Description: `Examples:
  eval "$(sandbox env)"                            for what is started from here
  (eval "$(sandbox env)"; psql "$DATABASE_URL")    for one command

Prints NATS_URL and DATABASE_URL, the password included, of the servers that
'sandbox' or 'sandbox demo --page' runs in another terminal.`,
		Action: func(_ context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			return serve.Env(stdout)
		},
	}
}

func demoCommand(stdout *os.File, logger *slog.Logger) *cli.Command {
	return &cli.Command{
		Name:  "demo",
		Usage: "load the sample files and show the running statistics, start to end",
		Description: `Examples:
  sandbox demo                      with the sample files
  sandbox demo --page               and stay for the live page, until Ctrl-C
  sandbox demo --data DIR           with your own 2012-*.csv and validation.csv

Starts both servers and a consumer, loads five monthly files in batches of five
rows, one a commit, printing the statistics as they change, and compares them
with what the database answers. Then the same with validation.csv. Leaves
nothing behind: with DATABASE_URL, it makes a database of its own on that server
and drops it at the end.`,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Local: true, Name: "data", Usage: "load 2012-*.csv and validation.csv from `DIR`", DefaultText: "the samples", TakesFile: true},
			&cli.BoolFlag{Local: true, Name: "page", Usage: "serve the live page, on port 8080 or a free one, and stay for it until Ctrl-C"},
		}, databaseFlags()...),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			return demo.Run(ctx, demo.Config{
				DataDir:     cmd.String("data"),
				DatabaseURL: cmd.String("database-url"),
				Image:       cmd.String("postgres-image"),
				Page:        cmd.Bool("page"),
				Bold:        isTerminal(stdout) && os.Getenv("NO_COLOR") == "",
			}, stdout, logger)
		},
	}
}

func genCommand(stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name:  "gen",
		Usage: "make sample CSV",
		Description: `Examples:
  sandbox gen --rows 30
  sandbox gen --rows 2000000 --seed 7 --output big.csv
  sandbox gen --samples DIR         the demo's six files

Writes timestamp,price,user_id: one row a day from 10 January 2012, for more
than 366 rows several a day; prices are whole numbers from 10 to 100, about one
in 32 is empty; user ids are 1 to 10. The same seed gives the same file.`,
		Flags: []cli.Flag{
			&cli.Int64Flag{Local: true, Name: "rows", Usage: "`N` rows below the header", Value: 1000},
			&cli.Uint64Flag{Local: true, Name: "seed", Usage: "`NUMBER` that decides the values", Value: 1},
			&cli.StringFlag{Local: true, Name: "output", Usage: "`FILE` to write", DefaultText: "standard output", TakesFile: true},
			&cli.StringFlag{Local: true, Name: "samples", Usage: "write the demo's files into `DIR` instead", TakesFile: true},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			if dir := cmd.String("samples"); dir != "" {
				if cmd.IsSet("rows") || cmd.IsSet("seed") || cmd.IsSet("output") {
					return commandline.Refuse(cmd, "--samples are what they are: they take no --rows, --seed or --output")
				}
				paths, err := gen.WriteSamples(ctx, dir)
				for _, path := range paths {
					fmt.Fprintln(stderr, "wrote", path)
				}
				return err
			}
			config := gen.Config{Rows: cmd.Int64("rows"), Seed: cmd.Uint64("seed")}
			if err := config.Validate(); err != nil {
				return commandline.Refuse(cmd, "--rows: %w", err)
			}
			if path := cmd.String("output"); path != "" && path != "-" {
				return gen.WriteFile(ctx, path, config)
			}
			return gen.Write(ctx, stdout, config)
		},
	}
}

func textOrJSON(value string) error {
	if value != "text" && value != "json" {
		return fmt.Errorf("is text or json, not %q", value)
	}
	return nil
}

// noArguments refuses words that no command and no flag takes, and flags of
// the sandbox that stays before the name of another command, which would
// ignore them.
func noArguments(cmd *cli.Command) error {
	if root := cmd.Root(); root != cmd {
		for _, name := range []string{"nats-port", "postgres-port", "keep", "show-password", "output"} {
			if root.IsSet(name) {
				return commandline.Refuse(cmd, "--%s before %q has no effect there", name, cmd.Name)
			}
		}
	}
	if cmd.Args().Present() {
		return commandline.UnknownCommand(cmd, cmd.Args().First())
	}
	return nil
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}
