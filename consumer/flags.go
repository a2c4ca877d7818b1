package main

import (
	"context"
	"os"

	"github.com/urfave/cli/v3"

	"github.com/streamgauge/streamgauge/shared/commandline"
	"github.com/streamgauge/streamgauge/shared/topology"
)

const (
	flagServer   = "server"
	flagCreds    = "creds"
	flagContext  = "context"
	flagDatabase = "database-url"
	flagOutput   = "output"
)

// The flags are local to their command: otherwise 'consumer stats' would take
// those of 'consumer' without a word, and do nothing with them.
func natsFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: flagServer, Aliases: []string{"s"}, Local: true, Usage: "NATS `URL`, or several separated by commas (default: nats://127.0.0.1:4222) [$NATS_URL]"},
		&cli.StringFlag{Name: flagCreds, Local: true, Usage: "NATS credentials `FILE` [$NATS_CREDS]"},
		&cli.StringFlag{Name: flagContext, Local: true, Usage: "`NAME` of a context of the nats command, instead of the two [$NATS_CONTEXT]"},
	}
}

func databaseFlag() cli.Flag {
	return &cli.StringFlag{Name: flagDatabase, Local: true, Usage: "PostgreSQL `URL`", DefaultText: "libpq's PG* variables", Sources: cli.EnvVars("DATABASE_URL")}
}

func outputFlag() cli.Flag {
	return &cli.StringFlag{Name: flagOutput, Local: true, Usage: "text, or json: one value a line", Value: "text", Validator: func(v string) error {
		if v != "text" && v != "json" {
			return errOutput
		}
		return nil
	}}
}

func server(cmd *cli.Command) topology.Server {
	given := topology.Server{URL: cmd.String(flagServer), Creds: cmd.String(flagCreds), Context: cmd.String(flagContext)}
	return given.OrEnvironment(os.Getenv)
}

func asJSON(cmd *cli.Command) bool { return cmd.String(flagOutput) == "json" }

// noArguments refuses words that no command and no flag takes.
func noArguments(cmd *cli.Command) error {
	if cmd.Args().Present() {
		return commandline.UnknownCommand(cmd, cmd.Args().First())
	}
	return nil
}

// isTerminal says whether people alone read what is written to out, or type what
// is read from it.
func isTerminal(out any) bool { return commandline.Columns(out) > 0 }

func needsCommand(which string) cli.ActionFunc {
	return func(_ context.Context, cmd *cli.Command) error {
		if err := noArguments(cmd); err != nil {
			return err
		}
		return commandline.Refuse(cmd, "'%s' needs %s", cmd.FullName(), which)
	}
}

func limitFlag() cli.Flag {
	return &cli.Int64Flag{Name: "limit", Local: true, Value: 20, Usage: "list at most `N`, -1 for all"}
}
