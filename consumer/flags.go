package main

import (
	"fmt"

	"github.com/urfave/cli/v3"

	"github.com/streamgauge/streamgauge/shared/topology"
)

const (
	flagServer   = "server"
	flagCreds    = "creds"
	flagContext  = "context"
	flagDatabase = "database-url"
	flagOutput   = "output"
)

func natsFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: flagServer, Aliases: []string{"s"}, Usage: "NATS `URL`, or several separated by commas", DefaultText: "nats://127.0.0.1:4222", Sources: cli.EnvVars("NATS_URL")},
		&cli.StringFlag{Name: flagCreds, Usage: "NATS credentials `FILE`", Sources: cli.EnvVars("NATS_CREDS")},
		&cli.StringFlag{Name: flagContext, Usage: "`NAME` of a context of the nats CLI", Sources: cli.EnvVars("NATS_CONTEXT")},
	}
}

func databaseFlag() cli.Flag {
	return &cli.StringFlag{Name: flagDatabase, Usage: "PostgreSQL `URL`", DefaultText: "libpq's PG* variables", Sources: cli.EnvVars("DATABASE_URL")}
}

func outputFlag() cli.Flag {
	return &cli.StringFlag{Name: flagOutput, Usage: "text, or json: one value a line", Value: "text", Validator: func(v string) error {
		if v != "text" && v != "json" {
			return fmt.Errorf("is text or json, not %q", v)
		}
		return nil
	}}
}

// server lets a flag win over an environment variable that excludes it.
func server(cmd *cli.Command) topology.Server {
	s := topology.Server{URL: cmd.String(flagServer), Creds: cmd.String(flagCreds), Context: cmd.String(flagContext)}
	return s
}

func asJSON(cmd *cli.Command) bool { return cmd.String(flagOutput) == "json" }

// noArguments refuses words that no command and no flag takes.
func noArguments(cmd *cli.Command) error {
	if cmd.Args().Present() {
		return &usageError{fmt.Errorf("no command or argument %q", cmd.Args().First())}
	}
	return nil
}
