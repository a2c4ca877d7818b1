package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/streamgauge/streamgauge/consumer/internal/report"
	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/consumer/internal/verify"
	"github.com/streamgauge/streamgauge/shared/commandline"
	"github.com/streamgauge/streamgauge/shared/unpack"
	"github.com/streamgauge/streamgauge/shared/wire"
)

const verifyHelp = `Reads each file again, as it was read when it was loaded, and compares count,
sum, least, greatest, nulls and every single record with the database.

Examples:
  consumer verify 2012-1.csv                   one file
  consumer verify --limit 100 2012-*.csv       name up to 100 lines that differ
  consumer verify 'drops.zip!2012-1.csv'       one file of an archive
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
			return withStore(ctx, cmd, func(database *store.Store) error {
				v := verifier{
					config: config, stderr: stderr, database: database,
					printer: report.Printer{Out: stdout, JSON: asJSON(cmd)},
				}
				return v.all(ctx, cmd.Args().Slice())
			})
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
		file, sources, err := openSources(path)
		if err != nil {
			v.tell(path, err)
			failed = true
			continue
		}
		for _, source := range sources {
			result, err := verify.Run(ctx, source.Name(filepath.Base(file.Name())), source.Open, v.database, v.config)
			if ctx.Err() != nil {
				return errors.Join(ctx.Err(), file.Close())
			}
			if err != nil {
				v.tell(source.Name(file.Name()), err)
				failed = true
				continue
			}
			if err := v.printer.Verification(result); err != nil {
				return errors.Join(err, file.Close())
			}
			differ = differ || !result.Same
		}
		_ = file.Close() // it was only read
	}
	switch {
	case failed:
		return errTold
	case differ:
		return errDisagree
	}
	return nil
}

func (v verifier) tell(name string, err error) {
	tell(v.stderr, report.Printable(name)+": "+store.Explain(unpack.Explain(err)))
}

// openSources opens a file and finds what it holds; of archive.zip!b.csv, which
// is no file, only what is called so in the archive.
func openSources(name string) (*os.File, []unpack.CSV, error) {
	path, member := name, ""
	if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
		path, member, _ = strings.Cut(name, unpack.Separator)
	}
	file, err := openFile(path)
	if err != nil {
		return nil, nil, err
	}
	sources, err := find(file, member)
	if err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	return file, sources, nil
}

// openFile opens a file that can be read twice.
func openFile(path string) (*os.File, error) {
	file, err := open(path)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	switch {
	case err != nil:
	case !info.Mode().IsRegular():
		err = errors.New("it is no regular file, which can be read twice. Name a file")
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// open opens what can be read once at least.
func open(path string) (*os.File, error) {
	file, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errors.New("no such file. Check the path")
	case errors.Is(err, fs.ErrPermission):
		return nil, errors.New("not allowed to read it. Check its permissions")
	case err != nil:
		return nil, fmt.Errorf("can't be opened: %w. Check the path", errors.Unwrap(err))
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = errors.New("it is a folder. Name the files in it")
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// find returns the CSVs in a file, or the one of an archive that is asked for.
func find(file *os.File, member string) ([]unpack.CSV, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	sources, err := unpack.Find(file, info.Size())
	if err != nil {
		return nil, err
	}
	sources = slices.DeleteFunc(sources, func(csv unpack.CSV) bool { return member != "" && csv.Path != member })
	if len(sources) == 0 {
		return nil, errors.New("the archive holds no such .csv file. Name one of those 'unzip -l' lists")
	}
	return sources, nil
}
