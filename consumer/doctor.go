package main

import (
	"context"
	"io"

	"github.com/urfave/cli/v3"

	"github.com/streamgauge/streamgauge/consumer/internal/doctor"
	"github.com/streamgauge/streamgauge/consumer/internal/report"
)

const doctorHelp = `Looks at NATS, its streams and their configuration, at PostgreSQL, its schema
and its settings, at both clocks and at what a power cut could cost, and says
all that it finds. It changes nothing.

Examples:
  consumer doctor                   each finding with its remedy
  consumer doctor --output json     one JSON object a finding

Exit codes: 0 nothing is in the way, 1 a problem was found, 2 wrong usage.`

func doctorCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:        "doctor",
		Usage:       "look at everything the pair stands on, and say what is wrong",
		Description: doctorHelp,
		Flags:       append(natsFlags(), databaseFlag(), outputFlag()),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			printer := report.Printer{Out: stdout, JSON: asJSON(cmd)}
			var found error
			for _, f := range doctor.Run(ctx, doctor.Config{Server: server(cmd), DatabaseURL: cmd.String(flagDatabase)}) {
				if err := printer.Finding(&f); err != nil {
					return err
				}
				if f.Level == doctor.Problem {
					found = errTold
				}
			}
			return found
		},
	}
}
