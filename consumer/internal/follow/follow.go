// Package follow looks at the pair from outside, through NATS alone.
package follow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/streamgauge/streamgauge/shared/stats"
	"github.com/streamgauge/streamgauge/shared/topology"
)

// lookEvery is after how long without a snapshot the one that the stream keeps is
// looked at: those published while the connection was away, or while show did not
// return, are not heard.
const lookEvery = time.Second

// Run calls show with the last snapshot published and then with each that
// supersedes it, until ctx is over. What is no snapshot is passed over. An outage
// is waited for.
func Run(ctx context.Context, server topology.Server, show func(*stats.Snapshot) error) error {
	nc, js, err := connect(server)
	if err != nil {
		return err
	}
	defer nc.Close()
	// What a slow reader misses is looked for, and nothing to write about.
	nc.SetErrorHandler(func(*nats.Conn, *nats.Subscription, error) {})
	heard := make(chan *nats.Msg, 1024)
	if _, err := nc.ChanSubscribe(topology.SubjectStats, heard); err != nil {
		return fmt.Errorf("subscribe to %s: %w", topology.SubjectStats, err)
	}
	var last *stats.Snapshot
	showNew := func(line []byte) error {
		if s, err := stats.Decode(line); err == nil && (last == nil || s.Supersedes(last)) {
			last = &s
			return show(&s)
		}
		return nil
	}
	if line, err := kept(ctx, js); err != nil {
		return err
	} else if line != nil {
		if err := showNew(line); err != nil {
			return err
		}
	}
	for {
		var line []byte
		select {
		case <-ctx.Done():
			return nil
		case msg := <-heard:
			line = msg.Data
		case <-time.After(lookEvery):
			line, _ = kept(ctx, js) // there is another look
		}
		if err := showNew(line); err != nil {
			return err
		}
	}
}

// kept returns the last snapshot published, nil when there is none.
func kept(ctx context.Context, js jetstream.JetStream) ([]byte, error) {
	stream, err := js.Stream(ctx, topology.StreamStats)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for the stream %s: %w", topology.StreamStats, err)
	}
	msg, err := stream.GetLastMsgForSubject(ctx, topology.SubjectStats)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the last of %s: %w", topology.SubjectStats, err)
	}
	return msg.Data, nil
}

// lookTimeout bounds a look at NATS.
const lookTimeout = 5 * time.Second

// Backlog says in a line how many batches wait in the stream.
func Backlog(ctx context.Context, server topology.Server) (string, error) {
	nc, js, err := connect(server)
	if err != nil {
		return "", err
	}
	defer nc.Close()
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	stream, err := js.Stream(ctx, topology.StreamRows)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return fmt.Sprintf("backlog: none, there is no stream %s yet", topology.StreamRows), nil
	}
	if err != nil {
		return "", fmt.Errorf("look for the stream %s: %w", topology.StreamRows, err)
	}
	state := stream.CachedInfo().State
	return fmt.Sprintf("backlog: %d batches (%.1f MiB) in the stream %s", state.Msgs, float64(state.Bytes)/(1<<20), topology.StreamRows), nil
}

func connect(server topology.Server) (*nats.Conn, jetstream.JetStream, error) {
	nc, err := topology.Connect(server, "streamgauge consumer")
	if err != nil {
		return nil, nil, err
	}
	js, err := jetstream.New(nc)
	if err != nil {
		nc.Close()
		return nil, nil, err
	}
	return nc, js, nil
}
