package pipeline

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/streamgauge/streamgauge/consumer/internal/decode"
	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/shared/record"
	"github.com/streamgauge/streamgauge/shared/stats"
	"github.com/streamgauge/streamgauge/shared/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const source = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"

// message is one of the stream, and what became of it.
type message struct {
	content decode.Message
	fail    error // what the server says to an ack

	mu             sync.Mutex
	acks, releases int
	answeredAt     time.Time // the last time
}

func (m *message) fate() (acks, releases int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.acks, m.releases
}

// delivery is a message in hand. Like the server's, only its first answer counts.
type delivery struct {
	*message
	queue    *queue
	answered bool
}

func (d *delivery) Content() *decode.Message { return &d.content }

func (d *delivery) Ack() error { return d.answer(&d.acks, false) }

func (d *delivery) Release() error { return d.answer(&d.releases, true) }

func (d *delivery) answer(count *int, again bool) error {
	d.mu.Lock()
	answered := d.answered
	if d.answered = true; !answered {
		*count++
		d.answeredAt = time.Now()
	}
	d.mu.Unlock()
	if answered {
		return nats.ErrMsgAlreadyAckd
	}
	d.queue.settle(d.message, again)
	return d.fail
}

// batch is a message with batch number n, of so many records.
func batch(t testing.TB, n int64, records int) *message {
	t.Helper()
	b := &wire.Batch{
		Source: source, Name: "2012-1.csv", Size: 1 << 30, Number: n, Batches: 1 << 20,
		FirstLine: 2 + (n-1)*int64(records), Records: records,
		Plan: wire.Plan{Format: record.Format{Delimiter: ",", Fields: 3, Price: 1, UserID: 2}, BatchSize: wire.MaxRecords},
		Body: []byte(strings.Repeat("1/1/2012,5,9\n", records)),
	}
	h, err := b.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return &message{content: decode.Message{Subject: "rows.price", Header: h, Data: b.Body, Sequence: uint64(n), Time: time.Unix(n, 0)}}
}

// garbage is a message that can't be decoded.
func garbage(sequence uint64, size int) *message {
	return &message{content: decode.Message{Subject: "rows.price", Header: nats.Header{"A": {"b"}}, Data: make([]byte, size), Sequence: sequence}}
}

// queue is a Source of messages that are there from the beginning, and of those
// that were released. It ends when all have been acknowledged, unless it stays
// open.
type queue struct {
	messages []*message
	open     bool

	mu        sync.Mutex
	inHand    int
	changed   chan struct{}
	suspended bool
	suspends  int
}

func (q *queue) Suspend() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.suspended = true
	q.suspends++
}

func (q *queue) Resume() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.suspended = false
	q.change()
}

// state says whether the queue is suspended, and how often it was.
func (q *queue) state() (suspended bool, suspends int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.suspended, q.suspends
}

func (q *queue) settle(m *message, again bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.inHand--
	if again {
		q.messages = append(q.messages, m)
	}
	q.change()
}

// change wakes those who wait in Take.
func (q *queue) change() {
	if q.changed != nil {
		close(q.changed)
		q.changed = nil
	}
}

func (q *queue) Take(ctx context.Context) (Message, error) {
	for {
		if m := q.TryTake(); m != nil {
			return m, nil
		}
		q.mu.Lock()
		if !q.open && q.inHand == 0 && len(q.messages) == 0 {
			q.mu.Unlock()
			return nil, nil
		}
		if q.changed == nil {
			q.changed = make(chan struct{})
		}
		changed := q.changed
		q.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (q *queue) TryTake() Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.suspended || len(q.messages) == 0 {
		return nil
	}
	m := q.messages[0]
	q.messages = q.messages[1:]
	q.inHand++
	return &delivery{message: m, queue: q}
}

// ledger is a Database that keeps what it was given, each batch and each dead
// message once.
type ledger struct {
	// hold, unless it is nil, keeps every transaction waiting until it is closed.
	hold chan struct{}
	// before and after say, of each transaction, whether it fails without or
	// with having taken effect. They may be nil.
	before, after func(batches []*store.Batch, dead []*store.Dead) error
	// ping is what the database says when it is only asked whether it answers.
	ping func() error
	// poison are the batches whose values are refused.
	poison map[int64]bool
	// outcome is what becomes of a batch, where it is not to be stored.
	outcome map[int64]store.Outcome

	mu       sync.Mutex
	stored   map[int64]int
	dead     map[uint64]string
	merges   []merge
	revision int64
}

// merge is what one transaction was given.
type merge struct {
	batches       []int64
	dead          []uint64
	records       int
	lastRecords   int
	deadBytes     int
	lastDeadBytes int
}

func newLedger() *ledger {
	return &ledger{stored: make(map[int64]int), dead: make(map[uint64]string)}
}

func (l *ledger) Write(ctx context.Context, batches []*store.Batch, dead []*store.Dead, committed func(*stats.Snapshot)) (*store.Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if l.hold != nil {
		<-l.hold
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.note(batches, dead)
	if l.before != nil {
		if err := l.before(batches, dead); err != nil {
			return nil, err
		}
	}
	for _, b := range batches {
		if l.poison[b.Number] {
			return nil, fmt.Errorf("copy rows: %w", errPoison)
		}
	}
	result := &store.Result{}
	for _, b := range batches {
		outcome := l.outcome[b.Number]
		if outcome == 0 {
			if outcome = store.Stored; l.stored[b.Number] > 0 {
				outcome = store.AlreadyStored
			} else {
				l.stored[b.Number]++
			}
		}
		result.Outcomes = append(result.Outcomes, outcome)
	}
	for _, d := range dead {
		if _, known := l.dead[d.Sequence]; !known {
			l.dead[d.Sequence] = d.Reason
			result.Dead++
		}
	}
	if l.after != nil {
		if err := l.after(batches, dead); err != nil {
			return nil, err
		}
	}
	l.revision++
	result.Snapshot = &stats.Snapshot{Metric: "price", Database: "d", Revision: l.revision}
	if committed != nil {
		committed(result.Snapshot)
	}
	return result, nil
}

func (l *ledger) Ping(context.Context) error {
	if l.ping == nil {
		return nil
	}
	return l.ping()
}

func (l *ledger) note(batches []*store.Batch, dead []*store.Dead) {
	var m merge
	for _, b := range batches {
		m.batches, m.records, m.lastRecords = append(m.batches, b.Number), m.records+b.Records, b.Records
	}
	for _, d := range dead {
		m.dead, m.deadBytes, m.lastDeadBytes = append(m.dead, d.Sequence), m.deadBytes+len(d.Payload), len(d.Payload)
	}
	l.merges = append(l.merges, m)
}

var (
	errPoison = &store.ValueError{Cause: &pgconn.PgError{Severity: "ERROR", Code: "22008", Message: "timestamp out of range"}}
	errFull   = &pgconn.PgError{Severity: "ERROR", Code: "53100", Message: "could not extend file"}
	errSchema = fmt.Errorf("copy rows: %w", &pgconn.PgError{Severity: "ERROR", Code: "23514", Message: "too cheap"})
	errLost   = fmt.Errorf("commit: %w", context.DeadlineExceeded)
)

// journal is a slog.Handler that keeps what is logged, with the time.
type journal struct {
	mu      sync.Mutex
	entries []entry
}

type entry struct {
	at      time.Time
	message string
	fields  map[string]string
}

func (*journal) Enabled(context.Context, slog.Level) bool { return true }

func (j *journal) Handle(_ context.Context, r slog.Record) error {
	e := entry{at: r.Time, message: r.Message, fields: make(map[string]string)}
	r.Attrs(func(a slog.Attr) bool {
		e.fields[a.Key] = a.Value.String()
		return true
	})
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries = append(j.entries, e)
	return nil
}

func (j *journal) WithAttrs([]slog.Attr) slog.Handler { return j }

func (j *journal) WithGroup(string) slog.Handler { return j }

// said returns the entries that begin so.
func (j *journal) said(beginning string) []entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	var found []entry
	for _, e := range j.entries {
		if strings.HasPrefix(e.message, beginning) {
			found = append(found, e)
		}
	}
	return found
}
