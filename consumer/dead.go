package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/urfave/cli/v3"

	"github.com/streamgauge/streamgauge/consumer/internal/decode"
	"github.com/streamgauge/streamgauge/consumer/internal/report"
	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/shared/commandline"
	"github.com/streamgauge/streamgauge/shared/topology"
)

const deadHelp = `A message that could not be decoded, or whose values PostgreSQL refused, is set
aside whole. After an upgrade, or when the cause is mended, it can be replayed.

Examples:
  consumer dead ls                  the messages that were set aside, and why
  consumer dead show 1              one with its headers and payload
  consumer dead replay --all        give back to the stream what can be decoded

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 some still can't be decoded.`

func deadCommand(stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name:        "dead",
		Usage:       "messages that were set aside whole: list and replay them",
		Description: deadHelp,
		Action:      needsCommand("ls, show or replay"),
		Commands: []*cli.Command{
			{
				Name: "ls", Usage: "list them",
				Flags: []cli.Flag{databaseFlag(), outputFlag(), limitFlag()},
				Action: func(ctx context.Context, cmd *cli.Command) error {
					return listDead(ctx, cmd, stdout)
				},
			},
			{
				Name: "show", Usage: "one of them with all its bytes", ArgsUsage: "ID",
				Flags: []cli.Flag{databaseFlag(), outputFlag()},
				Action: func(ctx context.Context, cmd *cli.Command) error {
					ids, err := deadIDs(cmd)
					if err != nil {
						return err
					}
					if len(ids) != 1 {
						return commandline.Refuse(cmd, "give one ID, as 'consumer dead ls' shows it")
					}
					return withStore(ctx, cmd, func(database *store.Store) error {
						dead, err := database.DeadBatch(ctx, ids[0])
						if err != nil {
							return err
						}
						return report.Printer{Out: stdout, JSON: asJSON(cmd)}.DeadWhole(dead)
					})
				},
			},
			{
				Name: "replay", Usage: "give them back to the stream, to be decoded again", ArgsUsage: "ID ...",
				Flags: append(natsFlags(), databaseFlag(), &cli.BoolFlag{Name: "all", Local: true, Usage: "all there are"}),
				Action: func(ctx context.Context, cmd *cli.Command) error {
					return replayDead(ctx, cmd, stdout, stderr)
				},
			},
		},
	}
}

func deadIDs(cmd *cli.Command) ([]int64, error) {
	var ids []int64
	for _, text := range cmd.Args().Slice() {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, commandline.Refuse(cmd, "%q is no ID, as 'consumer dead ls' shows it", text)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func listDead(ctx context.Context, cmd *cli.Command, stdout io.Writer) error {
	if err := noArguments(cmd); err != nil {
		return err
	}
	printer := report.Printer{Out: stdout, JSON: asJSON(cmd)}
	return withStore(ctx, cmd, func(database *store.Store) error {
		shown := int64(0)
		total, err := database.DeadBatches(ctx, cmd.Int64("limit"), func(d *store.StoredDead) error {
			shown++
			return printer.Dead(d)
		})
		if err != nil || printer.JSON {
			return err
		}
		return printer.More(shown, total, "dead batch")
	})
}

func replayDead(ctx context.Context, cmd *cli.Command, stdout, stderr io.Writer) error {
	ids, err := deadIDs(cmd)
	if err != nil {
		return err
	}
	if all := cmd.Bool("all"); all == (len(ids) > 0) {
		return commandline.Refuse(cmd, "give the IDs, as 'consumer dead ls' shows them, or --all")
	}
	return withStore(ctx, cmd, func(database *store.Store) error {
		if cmd.Bool("all") {
			_, err := database.DeadBatches(ctx, -1, func(d *store.StoredDead) error {
				ids = append(ids, d.ID)
				return nil
			})
			if err != nil {
				return err
			}
		}
		nc, err := topology.Connect(server(cmd), "streamgauge consumer")
		if err != nil {
			return err
		}
		defer nc.Close()
		js, err := jetstream.New(nc)
		if err != nil {
			return err
		}
		replayed, kept := 0, 0
		var missing store.NoDeadBatchError
		defer func() {
			tally := fmt.Sprintf("%d given back to the stream, %d kept", replayed, kept)
			if n := len(missing.IDs); n > 0 {
				tally += fmt.Sprintf(", %d not found", n)
			}
			tell(stderr, tally)
		}()
		for _, id := range ids {
			_, err := database.TakeDead(ctx, id, func(d *store.StoredDead) error { return giveBack(ctx, js, d) })
			if still, ok := errors.AsType[*stillDeadError](err); ok {
				kept++
				if _, err := fmt.Fprintf(stdout, "%d  kept: %s\n", id, report.OneLine(still.Error())); err != nil {
					return err
				}
				continue
			}
			if gone, ok := errors.AsType[*store.NoDeadBatchError](err); ok {
				if !cmd.Bool("all") { // else another replay has it
					missing.IDs = append(missing.IDs, gone.IDs...)
				}
				continue
			}
			if _, given := errors.AsType[*store.KeptDeadError](err); err == nil || given {
				replayed++
			}
			if err != nil {
				return err
			}
		}
		switch {
		case len(missing.IDs) > 0:
			return &missing
		case kept > 0:
			return errIncomplete
		}
		return nil
	})
}

// stillDeadError says that a message would only be set aside again.
type stillDeadError struct{ cause error }

func (e *stillDeadError) Error() string { return e.cause.Error() }

// giveBackWithin bounds a publish, during which the message's row is locked.
const giveBackWithin = 3 * time.Second

// ofNATS begins the headers in which a publisher asks something of the server, such
// as to drop a message that it has had. They were for the first publish.
const ofNATS = "Nats-"

// giveBack publishes the message anew, if it can be decoded now.
func giveBack(ctx context.Context, js jetstream.JetStream, d *store.StoredDead) error {
	header, err := decode.Headers(d.Headers)
	if err != nil {
		return &stillDeadError{err}
	}
	var decoder decode.Decoder
	if _, err := decoder.Decode(&decode.Message{Subject: d.Subject, Header: header, Data: d.Payload}); err != nil {
		return &stillDeadError{err}
	}
	maps.DeleteFunc(header, func(name string, _ []string) bool { return strings.HasPrefix(name, ofNATS) })
	ctx, cancel := context.WithTimeout(ctx, giveBackWithin)
	defer cancel()
	message := &nats.Msg{Subject: d.Subject, Header: header, Data: d.Payload}
	if _, err := js.PublishMsg(ctx, message, jetstream.WithExpectStream(topology.StreamRows)); err != nil {
		return fmt.Errorf("publish the message to the stream %s: %w. Nothing changed: run the command again", topology.StreamRows, err)
	}
	return nil
}
