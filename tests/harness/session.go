package harness

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/streamgauge/streamgauge/tests/checkout"
	"github.com/streamgauge/streamgauge/tests/claim"
)

const (
	// startTime bounds the start of the servers, an image's pull or build
	// included.
	startTime = 10 * time.Minute
	// accountsPerServer is how many tests one NATS server serves; the next
	// one gets a new server. Unused accounts cost a few kilobytes each.
	accountsPerServer = 128
)

// account is one NATS account with JetStream and its only user.
type account struct{ name, user, password string }

// backend starts servers in one way or another.
type backend interface {
	// startNATS returns the host and port of a new server with the accounts.
	startNATS(ctx context.Context, accounts []account) (string, error)
	// startPostgres returns the superuser's URL of a new server.
	startPostgres(ctx context.Context) (*url.URL, error)
	// close ends all servers; those that can outlive this process stay when
	// keep is set.
	close(keep bool) error
	String() string
}

// session is what the tests of one test binary share. Safe for concurrent use.
type session struct {
	once sync.Once
	err  error // of the start
	// ctx ends when the session is closed, so that a start under way gives up.
	ctx    context.Context
	cancel context.CancelFunc

	// Set by the start, and only read afterwards.

	root     string
	claim    *claim.Claim
	backend  backend
	binaries *binaries
	postgres *url.URL
	admin    *pgxpool.Pool // of the superuser, on the database postgres

	mu        sync.Mutex
	ended     bool
	nats      string // host and port of the current server
	unused    []account
	databases int
	live      map[*Process]struct{}
}

func newSession() *session {
	ctx, cancel := context.WithCancel(context.Background())
	return &session{ctx: ctx, cancel: cancel, live: make(map[*Process]struct{})}
}

// start starts the servers on first use. Everything
// fails with the same error after a failed start: trying again for each test
// would only take long.
func (s *session) start() error {
	s.once.Do(func() {
		ctx, cancel := context.WithTimeout(s.ctx, startTime)
		defer cancel()
		s.err = s.open(ctx)
	})
	return s.err
}

func (s *session) open(ctx context.Context) error {
	var err error
	if s.root, err = checkout.Root(); err != nil {
		return err
	}
	if s.claim, err = claim.New(); err != nil {
		return err
	}
	if s.backend, err = chooseBackend(ctx, s.root, s.claim); err != nil {
		return err
	}
	if s.binaries, err = findBinaries(s.root, s.claim.Dir()); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "harness: %s; %s\n", s.backend, s.binaries)

	var starting sync.WaitGroup
	var postgresErr, natsErr error
	starting.Go(func() { s.postgres, postgresErr = s.backend.startPostgres(ctx) })
	starting.Go(func() { natsErr = s.nextNATS(ctx) })
	starting.Wait()
	if err := errors.Join(postgresErr, natsErr); err != nil {
		return err
	}
	s.admin, err = pgxpool.New(ctx, s.postgres.String())
	return err
}

// nextNATS starts a server and makes its accounts the unused ones.
func (s *session) nextNATS(ctx context.Context) error {
	accounts := make([]account, accountsPerServer)
	for i := range accounts {
		name := fmt.Sprintf("acc%d", i)
		accounts[i] = account{name: name, user: name, password: rand.Text()}
	}
	address, err := s.backend.startNATS(ctx, accounts)
	if err != nil {
		return err
	}
	s.nats, s.unused = address, accounts
	return nil
}

// takeAccount returns an account that no test had before, and its URL.
func (s *session) takeAccount(ctx context.Context) (account, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return account{}, "", errEnded
	}
	if len(s.unused) == 0 {
		if err := s.nextNATS(ctx); err != nil {
			return account{}, "", err
		}
	}
	taken := s.unused[0]
	s.unused = s.unused[1:]
	address := url.URL{Scheme: "nats", User: url.UserPassword(taken.user, taken.password), Host: s.nats}
	return taken, address.String(), nil
}

// close ends the processes and servers, after a start that is under way has
// given up. Later calls do nothing.
func (s *session) close(keep bool) error {
	s.cancel()
	s.once.Do(func() { s.err = errEnded })
	s.mu.Lock()
	ended := s.ended
	s.ended = true
	for process := range s.live {
		_ = process.cmd.Process.Kill() // it may just have ended
	}
	s.mu.Unlock()
	if ended {
		return nil
	}
	if s.admin != nil {
		s.admin.Close()
	}
	if s.claim != nil {
		defer s.claim.Release()
	}
	if s.backend == nil {
		return nil
	}
	return s.backend.close(keep)
}

// track starts a process that is to be ended with the session.
func (s *session) track(p *Process) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return errEnded
	}
	if err := spawn(p.cmd); err != nil {
		return err
	}
	s.live[p] = struct{}{}
	return nil
}

func (s *session) untrack(p *Process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.live, p)
}

// dumpProcesses writes what the live processes have said, for a test run that
// is about to end by its -timeout.
func (s *session) dumpProcesses(w io.Writer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for process := range s.live {
		fmt.Fprintln(w, process.report())
	}
}
