package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/urfave/cli/v3"

	"github.com/streamgauge/streamgauge/consumer/internal/report"
	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/migrations"
)

func migrateCommand(stdout io.Writer, logger *slog.Logger) *cli.Command {
	return &cli.Command{
		Name:   "migrate",
		Usage:  "the database's schema",
		Action: needsCommand("up or status"),
		Commands: []*cli.Command{
			{
				Name: "up", Usage: "bring the schema up to date", Flags: []cli.Flag{databaseFlag()},
				Action: func(ctx context.Context, cmd *cli.Command) error {
					if err := noArguments(cmd); err != nil {
						return err
					}
					return migrateUp(ctx, cmd.String(flagDatabase), stdout, logger)
				},
			},
			{
				Name: "status", Usage: "which migrations the schema has", Flags: []cli.Flag{databaseFlag()},
				Action: func(ctx context.Context, cmd *cli.Command) error {
					if err := noArguments(cmd); err != nil {
						return err
					}
					return migrateStatus(ctx, cmd.String(flagDatabase), stdout)
				},
			},
		},
	}
}

func migrateUp(ctx context.Context, address string, stdout io.Writer, logger *slog.Logger) error {
	return withSchema(ctx, address, func(db *sql.DB) error {
		applied, err := migrations.Up(ctx, db, logger)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(stdout, "%s applied, the schema is up to date\n", report.Count(int64(applied), "migration"))
		return err
	})
}

func migrateStatus(ctx context.Context, address string, stdout io.Writer) error {
	return withSchema(ctx, address, func(db *sql.DB) error {
		versions, err := migrations.Status(ctx, db)
		if err != nil {
			return err
		}
		for _, v := range versions {
			state := "missing"
			if v.Applied {
				state = "applied"
			}
			if _, err := fmt.Fprintf(stdout, "%-8s %s\n", state, v.Name); err != nil {
				return err
			}
		}
		return nil
	})
}

// withSchema calls f with the database as package migrations wants it. What f
// fails with gets its remedy.
func withSchema(ctx context.Context, address string, f func(*sql.DB) error) error {
	pool, err := store.Connect(ctx, address, sessions)
	if err != nil {
		return err
	}
	defer pool.Close()
	db := stdlib.OpenDBFromPool(pool)
	defer db.Close()
	if err := f(db); err != nil {
		return store.Remedy(err)
	}
	return nil
}
