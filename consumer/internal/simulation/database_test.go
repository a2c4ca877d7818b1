package simulation

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/shared/stats"
)

// database is PostgreSQL with the tables of the consumer, as far as what the
// consumer decides depends on them. The world's mutex guards it.
type database struct {
	*world
	down    bool
	crashes int
	locks   map[lock]*transaction
	plans   map[string]string // of a source, by the batch that was first
	ledger  map[key]bool
	prices  map[key]int // how often the rows of a batch were stored
	dead    map[deadKey]bool
	stats   stats.Snapshot
	began   map[uint64]uint64 // how often each set of messages was tried
	changed time.Time
}

type deadKey struct {
	sequence uint64
	at       int64
}

// lock is a key of the ledger, a dead message's, or, empty, the row of stats.
type lock struct {
	key  key
	dead deadKey
}

var statsRow = lock{}

type transaction struct {
	process    *process
	began      time.Time
	crashes    int
	locks      []lock
	ended      chan struct{}
	stalled    bool // it waits for its client
	terminated bool
	committing bool // and it goes on doing so without its client
}

// The session's lock_timeout, and when and whom the consumer frees itself of.
const (
	lockTimeout = 3 * time.Second
	lookAfter   = 2 * time.Second
	oldEnough   = 4 * time.Second
)

func pgError(code string) error { return fmt.Errorf("write: %w", &pgconn.PgError{Code: code}) }

// session is the database as one process sees it.
type session struct{ *process }

func (s session) Ping(ctx context.Context) error {
	if err := s.call(ctx, aboutPing); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.database.reach()
}

func (s session) Latest(ctx context.Context) (*stats.Snapshot, error) {
	if err := s.call(ctx, aboutLatest); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.database.reach(); err != nil {
		return nil, err
	}
	snapshot := s.database.stats
	return &snapshot, nil
}

func (d *database) reach() error {
	if d.down {
		return pgError("57P03")
	}
	return nil
}

// fates of a transaction that the network or the server brings about.
const (
	fine          = iota
	refused       // no connection is had
	failed        // an error comes on the way
	commitLost    // the COMMIT never arrives
	replyLost     // it does, and its reply never
	commitLate    // as replyLost, and the server takes its time
	stallsMidway  // the client sends nothing for a while
	fatesOfWrites // how many there are
)

var passing = []string{"40001", "40P01", "55P03", "53100", "53300", "57P01", "XX000", "25006", "42501", "58030"}

func (s session) Write(ctx context.Context, batches []*store.Batch, dead []*store.Dead, committed func(*stats.Snapshot)) (*store.Result, error) {
	s.mu.Lock()
	s.checkBatches(batches)
	about := s.database.about(batches, dead)
	fate := fine
	if s.fault(about...) != none {
		fate = 1 + s.below(fatesOfWrites-1, append(about, 1)...)
	}
	tx := &transaction{process: s.process, began: time.Now(), crashes: s.database.crashes, ended: make(chan struct{})}
	s.mu.Unlock()

	step := uint64(10)
	pass := func(most time.Duration) error {
		step++
		return s.step(ctx, tx, s.between(most/10, most, append(about, step)...))
	}
	result, err := s.attempt(ctx, tx, batches, dead, committed, fate, about, pass)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.notef("%s: write of %s: %v", s, describe(batches, dead), err)
		if !tx.committing {
			s.database.release(tx)
		}
		return nil, err
	}
	return result, nil
}

func (s session) attempt(ctx context.Context, tx *transaction, batches []*store.Batch, dead []*store.Dead, committed func(*stats.Snapshot),
	fate int, about []uint64, pass func(time.Duration) error,
) (*store.Result, error) {
	if err := pass(2 * time.Millisecond); err != nil {
		return nil, err
	}
	if fate == refused {
		return nil, syscall.ECONNREFUSED
	}
	for _, l := range locksOf(batches, dead) {
		if err := s.acquire(ctx, tx, l, about); err != nil {
			return nil, err
		}
	}
	if fate == stallsMidway {
		if err := s.stall(ctx, tx, s.between(time.Second, 8*time.Second, append(about, 2)...)); err != nil {
			return nil, err
		}
	}
	if err := pass(5 * time.Millisecond); err != nil {
		return nil, err
	}
	if fate == failed {
		return nil, pgError(passing[s.below(len(passing), append(about, 3)...)])
	}
	if refusesAValue(batches) {
		return nil, &store.ValueError{Cause: &pgconn.PgError{Code: "22008", Message: "timestamp out of range"}}
	}
	if err := s.acquire(ctx, tx, statsRow, about); err != nil {
		return nil, err
	}
	if err := pass(2 * time.Millisecond); err != nil {
		return nil, err
	}
	return s.commit(ctx, tx, batches, dead, committed, fate, about)
}

func (s session) commit(ctx context.Context, tx *transaction, batches []*store.Batch, dead []*store.Dead, committed func(*stats.Snapshot),
	fate int, about []uint64,
) (*store.Result, error) {
	switch fate {
	case commitLost:
		return nil, errors.Join(io.ErrUnexpectedEOF, s.pause(ctx, s.limited(s.between(time.Millisecond, 3*time.Second, append(about, 4)...))))
	case commitLate:
		s.mu.Lock()
		tx.committing = true
		s.after(s.limited(s.between(time.Millisecond, 5*time.Second, append(about, 5)...)), func() {
			if s.database.stands(tx) == nil {
				s.database.apply(tx, batches, dead)
			}
			s.database.release(tx)
		})
		s.mu.Unlock()
		return nil, errors.Join(io.ErrUnexpectedEOF, s.pause(ctx, s.limited(s.between(time.Millisecond, 3*time.Second, append(about, 4)...))))
	}
	// From here on the client's end does not keep the server from committing.
	<-time.After(s.between(100*time.Microsecond, 2*time.Millisecond, append(about, 6)...))
	s.mu.Lock()
	if err := s.database.stands(tx); err != nil {
		s.mu.Unlock()
		return nil, err
	}
	result := s.database.apply(tx, batches, dead)
	if fate == replyLost || s.dead || ctx.Err() != nil {
		s.database.release(tx)
		s.mu.Unlock()
		return nil, errors.Join(io.ErrUnexpectedEOF, s.pause(ctx, s.limited(s.between(time.Millisecond, 3*time.Second, append(about, 4)...))))
	}
	if result.Snapshot != nil && committed != nil {
		committed(result.Snapshot)
	}
	s.database.release(tx)
	s.mu.Unlock()
	return result, nil
}

// about is the key of the draws for one more attempt to write the messages.
func (d *database) about(batches []*store.Batch, dead []*store.Dead) []uint64 {
	h := uint64(1)
	for _, b := range batches {
		h = mix(h + number(b.Source.Identity[:8]) + uint64(b.Number)*7919 + uint64(b.Source.Plan.BatchSize)*104729)
	}
	for _, one := range dead {
		h = mix(h + one.Sequence + uint64(one.Time.UnixNano()))
	}
	d.began[h]++
	return []uint64{aboutWrite, h, d.began[h]}
}

func locksOf(batches []*store.Batch, dead []*store.Dead) []lock {
	var locks []lock
	for _, b := range batches {
		// The ledger knows a batch by its source and its number.
		locks = append(locks, lock{key: key{source: b.Source.Identity, number: b.Number}})
	}
	for _, one := range dead {
		locks = append(locks, lock{dead: deadOf(one)})
	}
	slices.SortFunc(locks, func(a, b lock) int {
		return cmp.Or(cmp.Compare(a.dead.sequence, b.dead.sequence), cmp.Compare(a.dead.at, b.dead.at),
			cmp.Compare(a.key.source, b.key.source), cmp.Compare(a.key.number, b.key.number))
	})
	return slices.Compact(locks)
}

func keyOf(b *store.Batch) key {
	return key{b.Source.Identity, fmt.Sprint(b.Source.Plan.BatchSize), b.Number}
}

func deadOf(one *store.Dead) deadKey { return deadKey{one.Sequence, one.Time.UnixNano()} }

func refusesAValue(batches []*store.Batch) bool {
	return slices.ContainsFunc(batches, func(b *store.Batch) bool { return b.Source.Name[0] == 'p' })
}

// acquire waits for a lock, and frees itself of a holder that hangs.
func (s session) acquire(ctx context.Context, tx *transaction, l lock, about []uint64) error {
	since := time.Now()
	for turn := uint64(0); ; turn++ {
		s.mu.Lock()
		holder := s.database.locks[l]
		if holder == nil {
			s.database.locks[l] = tx
			tx.locks = append(tx.locks, l)
			s.mu.Unlock()
			return nil
		}
		waited := time.Since(since)
		if waited >= lookAfter && time.Since(holder.began) >= oldEnough && (holder.stalled || holder.process.frozen()) {
			s.notef("%s: terminates the session of %s", s, holder.process)
			holder.terminated = true
			s.database.release(holder)
			s.mu.Unlock()
			continue
		}
		s.mu.Unlock()
		if waited >= lockTimeout {
			return pgError("55P03")
		}
		next := lookAfter - waited
		if next <= 0 {
			next = min(lockTimeout-waited, 500*time.Millisecond)
		}
		timer := time.NewTimer(next)
		select {
		case <-holder.ended:
			// Whoever else waits has woken as well: the draw says who is first.
			<-time.After(s.between(time.Microsecond, 100*time.Microsecond, append(about, aboutLock, uint64(s.consumer), turn)...))
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
		timer.Stop()
	}
}

func (s session) stall(ctx context.Context, tx *transaction, d time.Duration) error {
	s.mu.Lock()
	tx.stalled = true
	s.mu.Unlock()
	err := s.pause(ctx, s.limited(d))
	s.mu.Lock()
	defer s.mu.Unlock()
	tx.stalled = false
	return err
}

// step lets time pass in a transaction, and fails when it was ended meanwhile.
func (s session) step(ctx context.Context, tx *transaction, d time.Duration) error {
	if err := s.awake(); err != nil {
		return err
	}
	if err := s.pause(ctx, d); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.database.stands(tx)
}

// stands says why a transaction does not stand any more.
func (d *database) stands(tx *transaction) error {
	switch {
	case tx.terminated:
		return pgError("57P01")
	case d.down, tx.crashes != d.crashes:
		return io.ErrUnexpectedEOF
	}
	return nil
}

func (d *database) release(tx *transaction) {
	for _, l := range tx.locks {
		if d.locks[l] == tx {
			delete(d.locks, l)
		}
	}
	tx.locks = nil
	select {
	case <-tx.ended:
	default:
		close(tx.ended)
	}
}

// stop is an immediate stop: what is not committed is gone.
func (d *database) stop() {
	d.down = true
	d.crashes++
	for _, tx := range d.locks {
		tx.terminated = true
	}
	for len(d.locks) > 0 {
		for _, tx := range d.locks {
			d.release(tx)
			break
		}
	}
}

// apply gives messages their effect: what package store does, in order.
func (d *database) apply(tx *transaction, batches []*store.Batch, dead []*store.Dead) *store.Result {
	result := &store.Result{}
	fresh := 0
	for _, b := range batches {
		k := keyOf(b)
		if d.plans[k.source] == "" {
			d.plans[k.source] = k.plan
		}
		switch {
		case d.plans[k.source] != k.plan:
			result.Outcomes = append(result.Outcomes, store.Superseded)
		case d.ledger[k]:
			result.Outcomes = append(result.Outcomes, store.AlreadyStored)
		default:
			result.Outcomes = append(result.Outcomes, store.Stored)
			fresh++
			d.ledger[k] = true
			d.prices[k]++
			d.stats.Rows += b.Tally.Rows
			d.stats.Count += b.Tally.Count
			d.stats.Rejected += int64(len(b.Rejects))
		}
	}
	for _, one := range dead {
		if k := deadOf(one); !d.dead[k] {
			d.dead[k] = true
			d.checkDead(one)
			result.Dead++
		}
	}
	d.stats.Dead += int64(result.Dead)
	if fresh > 0 || result.Dead > 0 {
		d.stats.Revision++
		d.changed = time.Now()
		snapshot := d.stats
		result.Snapshot = &snapshot
		d.notef("%s: commits %s as revision %d", tx.process, describe(batches, dead), snapshot.Revision)
	}
	return result
}

func describe(batches []*store.Batch, dead []*store.Dead) string {
	var text bytes.Buffer
	for _, b := range batches {
		fmt.Fprintf(&text, "%s/%d of %d ", b.Source.Name, b.Number, b.Source.Batches)
	}
	for _, one := range dead {
		fmt.Fprintf(&text, "dead %d ", one.Sequence)
	}
	return text.String()
}
