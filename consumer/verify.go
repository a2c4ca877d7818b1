package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"

	"github.com/urfave/cli/v3"

	"github.com/streamgauge/streamgauge/consumer/internal/report"
	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/consumer/internal/verify"
	"github.com/streamgauge/streamgauge/shared/commandline"
	"github.com/streamgauge/streamgauge/shared/wire"
)

const verifyHelp = `Reads each file again, as it was read when it was loaded, and compares count,
sum, least, greatest, nulls and every single record with the database.

Examples:
  consumer verify 2012-1.csv                   one file
  consumer verify --limit 100 2012-*.csv       name up to 100 lines that differ
  consumer verify --label again 2012-1.csv     the load with that label

Exit codes: 0 the same, 4 not the same, 1 a file could not be compared.`

func verifyCommand(stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name:        "verify",
		Usage:       "compare files with what the database has of them, record by record",
		ArgsUsage:   "FILE ...",
		Description: verifyHelp,
		Flags: []cli.Flag{
			databaseFlag(), outputFlag(),
			&cli.StringFlag{Name: "label", Local: true, Usage: "the load that was given this `LABEL`"},
			&cli.IntFlag{Name: "limit", Local: true, Value: 10, Usage: "name at most `N` lines that differ"},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			config := verify.Config{Label: cmd.String("label"), Limit: cmd.Int("limit")}
			switch {
			case !cmd.Args().Present():
				return commandline.Refuse(cmd, "no file given")
			case config.Limit < 0:
				return commandline.Refuse(cmd, "--limit is at least 0, not %d", config.Limit)
			case cmd.IsSet("label"):
				if err := wire.ValidateLabel(config.Label); err != nil {
					return commandline.Refuse(cmd, "--label: %w", err)
				}
			}
			pool, err := store.Connect(ctx, cmd.String(flagDatabase), 1)
			if err != nil {
				return err
			}
			defer pool.Close()
			v := verifier{
				config: config, stderr: stderr,
				database: store.New(pool, slog.New(slog.DiscardHandler)),
				printer:  report.Printer{Out: stdout, JSON: asJSON(cmd)},
			}
			return v.all(ctx, cmd.Args().Slice())
		},
	}
}

type verifier struct {
	config   verify.Config
	database *store.Store
	printer  report.Printer
	stderr   io.Writer
}

// all compares every file, whatever becomes of the ones before it.
func (v verifier) all(ctx context.Context, paths []string) error {
	failed, differ := false, false
	for _, path := range paths {
		result, err := verify.Run(ctx, path, func() (io.ReadCloser, error) { return openFile(path) }, v.database, v.config)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			fmt.Fprintf(v.stderr, "consumer: %s: %s\n", report.Printable(path), report.OneLine(store.Explain(err)))
			failed = true
			continue
		}
		if err := v.printer.Verification(result); err != nil {
			return err
		}
		differ = differ || !result.Same
	}
	switch {
	case failed:
		return errTold
	case differ:
		return errDisagree
	}
	return nil
}

// openFile opens a file that can be read twice.
func openFile(path string) (io.ReadCloser, error) {
	file, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errors.New("no such file. Check the path")
	case errors.Is(err, fs.ErrPermission):
		return nil, errors.New("not allowed to read it. Check its permissions")
	case err != nil:
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is no regular file, which can be read twice. Name a file")
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}
