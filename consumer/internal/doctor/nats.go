package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/streamgauge/streamgauge/shared/topology"
	"github.com/streamgauge/streamgauge/shared/wire"
)

const ofNATS = "NATS"

// oldest is the first server version that the pair is tried with. Earlier ones
// have lost acknowledged messages in ways that were mended since
// (https://github.com/nats-io/nats-server/releases).
var oldest = [2]int{2, 15}

func (f *findings) lookAtNATS(ctx context.Context, server topology.Server) {
	conn, err := topology.Connect(server, "streamgauge doctor")
	if err != nil {
		f.addf(Problem, ofNATS, "", "%s", err)
		return
	}
	defer conn.Close()
	f.version(conn)
	f.payload(conn.MaxPayload())
	js, err := jetstream.New(conn)
	if err != nil {
		f.addf(Problem, ofNATS, "", "%s", err)
		return
	}
	if _, err := js.AccountInfo(ctx); err != nil {
		f.addf(Problem, ofNATS, "Start it with 'nats-server --jetstream', or enable JetStream for the account", "JetStream does not answer: %s", err)
		return
	}
	f.addf(OK, ofNATS, "", "JetStream is on")
	rows := f.stream(ctx, js, topology.Config{}.Rows())
	f.stream(ctx, js, topology.Config{}.Stats())
	if rows != nil {
		f.backlog(rows)
		f.writer(ctx, js)
	}
}

func (f *findings) version(conn *nats.Conn) {
	version := conn.ConnectedServerVersion()
	var have [2]int
	if _, err := fmt.Sscanf(version, "%d.%d", &have[0], &have[1]); err != nil {
		f.addf(Warning, ofNATS, "", "its version %q can't be read", version)
		return
	}
	if have[0] < oldest[0] || have[0] == oldest[0] && have[1] < oldest[1] {
		f.addf(Warning, ofNATS, fmt.Sprintf("Upgrade to %d.%d or newer: older ones could lose acknowledged messages", oldest[0], oldest[1]), "version %s", version)
		return
	}
	f.addf(OK, ofNATS, "", "version %s at %s", version, conn.ConnectedUrlRedacted())
}

// payload looks at the largest message that the server takes, in bytes.
func (f *findings) payload(most int64) {
	if least := int64(wire.MaxBody + wire.MaxHeader); most < least {
		f.addf(Problem, ofNATS, fmt.Sprintf("Set max_payload to %d or more", least), "it takes messages of %d bytes at most, and a batch may be larger", most)
	}
}

// stream returns nil where there is none to look at.
func (f *findings) stream(ctx context.Context, js jetstream.JetStream, want jetstream.StreamConfig) *jetstream.StreamInfo {
	asked := time.Now()
	stream, err := js.Stream(ctx, want.Name)
	answered := time.Now()
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		f.addf(OK, ofNATS, "", "there is no stream %s yet: the consumer makes it", want.Name)
		return nil
	}
	if err != nil {
		f.addf(Problem, ofNATS, "", "stream %s can't be looked at: %s", want.Name, err)
		return nil
	}
	info := stream.CachedInfo()
	if want.Name == topology.StreamRows && !info.TimeStamp.IsZero() {
		f.clock(ofNATS, info.TimeStamp, asked, answered)
	}
	differences, err := topology.CheckStream(info.Config, want)
	switch {
	case err != nil:
		f.addf(Problem, ofNATS, "", "%s", err)
	case info.Config.Storage != jetstream.FileStorage:
		f.addf(Warning, ofNATS, "Make it anew with file storage", "stream %s is kept in %s storage: a restart of NATS loses what is queued, and --wait sends it again", want.Name, info.Config.Storage)
	default:
		f.addf(OK, ofNATS, "", "stream %s: %s", want.Name, strings.Join(append([]string{durability(info)}, differences...), "; "))
	}
	f.replicas(info)
	return info
}

// durability says what a power cut can cost. How often a server syncs is not
// told to clients: by default it is every two minutes
// (https://docs.nats.io/running-a-nats-service/configuration#jetstream).
func durability(info *jetstream.StreamInfo) string {
	if info.Config.Replicas > 1 {
		return fmt.Sprintf("file storage, R%d", info.Config.Replicas)
	}
	return "file storage, R1; a power cut may cost acked messages, which --wait sends again"
}

func (f *findings) replicas(info *jetstream.StreamInfo) {
	if info.Cluster == nil || info.Config.Replicas < 2 {
		return
	}
	if info.Cluster.Leader == "" {
		f.addf(Problem, ofNATS, "Start its servers", "stream %s has no leader", info.Config.Name)
	}
	for _, peer := range info.Cluster.Replicas {
		if peer.Offline || !peer.Current {
			f.addf(Warning, ofNATS, "See 'nats server report jetstream'", "stream %s: its replica on %s is behind or offline", info.Config.Name, peer.Name)
		}
	}
}

func (f *findings) backlog(info *jetstream.StreamInfo) {
	state := info.State
	if limit := info.Config.MaxBytes; limit > 0 && state.Bytes > uint64(limit)/10*9 {
		f.addf(Warning, ofNATS, "Start more consumers, or raise max-bytes of the stream: producers wait", "stream %s is nearly full: %d batches, %.1f MiB", topology.StreamRows, state.Msgs, mebibytes(state.Bytes))
		return
	}
	f.addf(OK, ofNATS, "", "batches queued: %d, %.1f MiB", state.Msgs, mebibytes(state.Bytes))
}

func mebibytes(n uint64) float64 { return float64(n) / (1 << 20) }

func (f *findings) writer(ctx context.Context, js jetstream.JetStream) {
	durable, err := js.Consumer(ctx, topology.StreamRows, topology.Durable)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		f.addf(OK, ofNATS, "", "there is no durable consumer %s yet: the consumer makes it", topology.Durable)
		return
	}
	if err != nil {
		f.addf(Problem, ofNATS, "", "the durable consumer %s can't be looked at: %s", topology.Durable, err)
		return
	}
	info := durable.CachedInfo()
	if err := topology.CheckWriter(info.Config); err != nil {
		f.addf(Problem, ofNATS, "", "%s", err)
		return
	}
	if info.NumPending > 0 && info.NumWaiting == 0 && info.NumAckPending == 0 {
		f.addf(Warning, ofNATS, "Start a consumer", "batches that wait, and no consumer takes them: %d", info.NumPending)
		return
	}
	f.addf(OK, ofNATS, "", "durable consumer %s: in hand: %d, pulls waiting: %d", topology.Durable, info.NumAckPending, info.NumWaiting)
}
