package topology

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// errCodeInsufficientResources and its neighbours are the server's codes for a
// stream that asks for more than the account or the disk has, from the server's
// errors.json. jetstream does not name them.
const (
	errCodeInsufficientResources jetstream.ErrorCode = 10023
	errCodeStorageExceeded       jetstream.ErrorCode = 10047
	errCodeNoPeers               jetstream.ErrorCode = 10005
	errCodeReplicasNotSupported  jetstream.ErrorCode = 10074
	errCodeSubjectOverlap        jetstream.ErrorCode = 10065
)

// Report is what stands after Ensure, where it may differ from what was asked.
type Report struct {
	Rows  *jetstream.StreamInfo
	Stats *jetstream.StreamInfo
	// Differences from the configuration that do no harm, a sentence each.
	Differences []string
}

// String says in one line what the server gives. Whether it syncs each message
// before it acknowledges (sync_interval) is not shown to clients, so the line
// claims no more than the default gives.
func (r *Report) String() string {
	c := r.Rows.Config
	return fmt.Sprintf("stream %s: %s storage, R%d, %d MiB; a power cut may cost acked messages, which --wait sends again",
		StreamRows, strings.ToLower(c.Storage.String()), c.Replicas, c.MaxBytes>>20)
}

// Ensure creates the streams that are missing and checks those that stand.
// Retention, discard policy, age limit and subjects have to be as configured: a
// *MismatchError names what is not. Everything else may differ, since servers
// add metadata and operators raise limits, and is reported. Where NATS can't
// provide the streams the error is an *UnavailableError. Concurrent calls, also
// of several processes, are fine.
func Ensure(ctx context.Context, js jetstream.JetStream, config Config) (*Report, error) {
	var report Report
	var err error
	if report.Rows, err = ensureStream(ctx, js, config.Rows(), &report); err != nil {
		return nil, err
	}
	if report.Stats, err = ensureStream(ctx, js, config.Stats(), &report); err != nil {
		return nil, err
	}
	return &report, nil
}

// EnsureWriter creates the durable consumer if it is missing. One that stands
// with another acknowledgement policy, delivery limit or filter is a *MismatchError.
func EnsureWriter(ctx context.Context, js jetstream.JetStream) error {
	consumer, err := js.Consumer(ctx, StreamRows, Durable)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		consumer, err = js.CreateConsumer(ctx, StreamRows, Writer())
		if errors.Is(err, jetstream.ErrConsumerExists) {
			consumer, err = js.Consumer(ctx, StreamRows, Durable)
		}
	}
	if err != nil {
		return unavailable("consumer "+Durable, err)
	}
	return CheckWriter(consumer.CachedInfo().Config)
}

// CheckWriter says what of a durable consumer keeps the pair from working, as a
// *MismatchError.
func CheckWriter(have jetstream.ConsumerConfig) error {
	want := Writer()
	var differences []string
	if have.AckPolicy != want.AckPolicy {
		differences = append(differences, fmt.Sprintf("its ack policy is %s, not %s", have.AckPolicy, want.AckPolicy))
	}
	if have.MaxDeliver != want.MaxDeliver {
		differences = append(differences, fmt.Sprintf("its max deliver is %d, not %d", have.MaxDeliver, want.MaxDeliver))
	}
	if have.FilterSubject != want.FilterSubject || len(have.FilterSubjects) > 0 {
		differences = append(differences, fmt.Sprintf("it does not filter on %s alone", want.FilterSubject))
	}
	if have.DeliverSubject != "" {
		differences = append(differences, "it pushes messages, and has to be a pull consumer")
	}
	if len(differences) > 0 {
		return &MismatchError{Kind: "consumer", Name: StreamRows + " " + Durable, Differences: differences}
	}
	return nil
}

func ensureStream(ctx context.Context, js jetstream.JetStream, want jetstream.StreamConfig, report *Report) (*jetstream.StreamInfo, error) {
	stream, err := js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		stream, err = js.CreateStream(ctx, want)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			stream, err = js.Stream(ctx, want.Name)
		}
	}
	if err != nil {
		return nil, unavailable("stream "+want.Name, err)
	}
	info := stream.CachedInfo()
	differences, err := CheckStream(info.Config, want)
	if err != nil {
		return nil, err
	}
	report.Differences = append(report.Differences, differences...)
	return info, nil
}

// CheckStream returns what of a stream is not as wanted and does no harm. What
// keeps the pair from working is a *MismatchError.
func CheckStream(have, want jetstream.StreamConfig) (differences []string, err error) {
	if harmful, edit := compareStreams(have, want); len(harmful) > 0 {
		return nil, &MismatchError{Kind: "stream", Name: want.Name, Differences: harmful, Edit: edit}
	}
	return harmless(have, want), nil
}

// compareStreams returns what has to be otherwise, and the flags of 'nats stream
// edit' for it, none if the server would refuse that.
func compareStreams(have, want jetstream.StreamConfig) (differences []string, edit string) {
	differ := func(flag, format string, values ...any) {
		differences = append(differences, fmt.Sprintf(format, values...))
		edit += " " + flag
	}
	if have.Discard != want.Discard {
		policy := map[jetstream.DiscardPolicy]string{jetstream.DiscardNew: "new", jetstream.DiscardOld: "old"}
		differ("--discard="+policy[want.Discard], "its discard policy is %s, not %s", have.Discard, want.Discard)
	}
	if have.MaxAge != want.MaxAge {
		differ("--max-age="+want.MaxAge.String(), "it drops messages after %s", have.MaxAge)
	}
	if !slices.Equal(have.Subjects, want.Subjects) {
		differ("--subjects="+strings.Join(want.Subjects, ","), "its subjects are %s, not %s",
			strings.Join(have.Subjects, ", "), strings.Join(want.Subjects, ", "))
	}
	if want.MaxMsgsPerSubject > 0 && have.MaxMsgsPerSubject != want.MaxMsgsPerSubject {
		differ(fmt.Sprintf("--max-msgs-per-subject=%d", want.MaxMsgsPerSubject),
			"it keeps %d messages a subject, not %d", have.MaxMsgsPerSubject, want.MaxMsgsPerSubject)
	}
	if have.Retention != want.Retention {
		differ("", "its retention is %s, not %s", have.Retention, want.Retention)
		edit = "" // from and to a work queue the server changes none
	}
	return differences, edit
}

func harmless(have, want jetstream.StreamConfig) []string {
	var differences []string
	if have.MaxBytes != want.MaxBytes {
		differences = append(differences, fmt.Sprintf("stream %s holds at most %d bytes, not %d", want.Name, have.MaxBytes, want.MaxBytes))
	}
	if have.Replicas != want.Replicas {
		differences = append(differences, fmt.Sprintf("stream %s has %d replica(s), not %d", want.Name, have.Replicas, want.Replicas))
	}
	if have.Storage != want.Storage {
		differences = append(differences, fmt.Sprintf("stream %s is kept in %s storage, not %s", want.Name, have.Storage, want.Storage))
	}
	return differences
}

func unavailable(what string, err error) error {
	if api, ok := errors.AsType[*jetstream.APIError](err); ok {
		switch api.ErrorCode {
		case jetstream.JSErrCodeJetStreamNotEnabledForAccount:
			return &UnavailableError{"JetStream is off for this NATS account. Enable it for the account, or connect with another one", err}
		case jetstream.JSErrCodeJetStreamNotEnabled:
			return &UnavailableError{"JetStream is off on this NATS server. Start it with 'nats-server --jetstream'", err}
		case errCodeInsufficientResources, errCodeStorageExceeded:
			return &UnavailableError{"NATS has not enough storage for the " + what + ". Give it more, or ask for less with --max-bytes", err}
		case errCodeNoPeers, errCodeReplicasNotSupported:
			return &UnavailableError{"NATS has too few servers for the " + what + ". Start more, or ask for fewer with --replicas 1", err}
		case errCodeSubjectOverlap:
			return &UnavailableError{"the subjects of the " + what + " belong to another stream already. Use another account, or remove that stream", err}
		}
	}
	switch {
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, nats.ErrNoResponders):
		return &UnavailableError{"JetStream is off on this NATS server. Start it with 'nats-server --jetstream'", err}
	case errors.Is(err, nats.ErrTimeout), errors.Is(err, context.DeadlineExceeded):
		return &UnavailableError{"NATS does not answer about the " + what + ": its JetStream has no leader, or the user no right to publish on $JS.API.>. Wait for a leader, or grant it", err}
	}
	return fmt.Errorf("%s: %w", what, err)
}
