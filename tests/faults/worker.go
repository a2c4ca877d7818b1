package faults

import (
	"bytes"
	"cmp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/streamgauge/streamgauge/tests/harness"
	"github.com/streamgauge/streamgauge/tests/proxy"
)

// worker is a program that is started again when it has ended, as a supervisor
// would, with a proxy of its own before each server.
type worker struct {
	world    *world
	name     string
	program  string
	binary   string // in the program's place, where it is not empty
	args     []string
	nats     *proxy.Proxy // nil before a cluster: clients choose among its servers
	postgres *proxy.Proxy // nil for the producer
	judges   judges
	process  *harness.Process
	env      []string
	piped    bool // gets its file by standard input
	stdin    []byte

	pid    atomic.Int64 // for who signals it from elsewhere
	frozen atomic.Bool
	doomed atomic.Bool // it was told to end, and has not been started again
	// signalling keeps signal and start apart.
	signalling sync.Mutex

	asked  atomic.Pointer[time.Time] // when it was asked to end
	struck atomic.Pointer[strike]    // the last one
	began  time.Time
}

func newWorker(w *world, name, program string, args ...string) *worker {
	k := &worker{world: w, name: name, program: program, args: args}
	if w.env.Cluster == nil {
		k.nats = proxy.NATSOn(w.t, w.listener(w.parts.nats), hostOf(w.t, w.env.NATSURL))
		k.nats.SetJudge(k.judges.nats(k))
		k.env = []string{"NATS_URL=" + through(w.t, w.env.NATSURL, k.nats.Address())}
	}
	if program == "consumer" {
		k.postgres = proxy.PostgresOn(w.t, w.listener(w.parts.postgres), hostOf(w.t, w.env.DatabaseURL))
		k.postgres.SetJudge(k.judges.postgres)
		k.env = append(k.env, "DATABASE_URL="+through(w.t, w.env.DatabaseURL, k.postgres.Address()))
	}
	return k
}

func (k *worker) start() {
	command := harness.Command{Program: cmp.Or(k.binary, k.program), Args: k.args, Env: k.env, Through: k.world.parts.through()}
	if k.piped {
		command.Stdin = bytes.NewReader(k.stdin)
	}
	k.signalling.Lock()
	defer k.signalling.Unlock()
	k.asked.Store(nil)
	k.began = time.Now()
	k.process = k.world.env.Start(k.world.t, command)
	k.pid.Store(int64(k.process.PID()))
	k.doomed.Store(false)
	k.world.journal.started()
}

func (k *worker) restart() {
	result := k.result()
	k.checkEnd(&result)
	switch {
	case strings.Contains(result.Stderr, "consumer: write to PostgreSQL: "):
		k.world.t.Fatalf("%s gave up, as it must only at a mistake of its own: %s", k.name, lastLine(result.Stderr))
	case result.Signal == 0 && !k.doomed.Load() && !k.mayEnd(&result):
		k.world.t.Errorf("%s ended by itself with %d: %s", k.name, result.Code, lastLine(result.Stderr))
	case result.Signal == 0 && !strings.Contains(result.Stderr, "level=INFO msg=stopped"):
		k.world.journal.notef("%s ended with %d: %s", k.name, result.Code, lastLine(result.Stderr))
	}
	k.start()
}

// mayEnd says whether a process may have ended unasked: a consumer that has not
// reached its servers yet, or that stands still and wants to be started again; a
// producer whose file or folder is what is broken.
func (k *worker) mayEnd(result *harness.Result) bool {
	if k.program == "producer" {
		return k.world.scenario.again != nil
	}
	return !strings.Contains(result.Stderr, "msg=ready") || strings.Contains(result.Stderr, "stalled: messages wait")
}

func (k *worker) ended() bool {
	select {
	case <-k.process.Exited():
		return true
	default:
		return false
	}
}

// result is to be asked of a worker that has ended.
func (k *worker) result() harness.Result { return k.process.Wait(k.world.t) }

// signal ends the process, or asks it to end. It may be called from anywhere. A
// process that has just ended is not signalled.
func (k *worker) signal(signal syscall.Signal) {
	k.signalling.Lock()
	defer k.signalling.Unlock()
	asked, doomed := k.asked.Load(), k.doomed.Load()
	// Who finds that it has ended has to know why: this is said before it is done.
	if now := time.Now(); asked == nil && signal != syscall.SIGKILL {
		k.asked.Store(&now)
	}
	k.doomed.Store(true)
	if now := time.Now(); signal == syscall.SIGKILL {
		k.struck.Store(&strike{now, now})
	}
	if syscall.Kill(int(k.pid.Load()), signal) != nil {
		k.asked.Store(asked)
		k.doomed.Store(doomed)
	}
}

// checkEnd looks at what one life of the program has left, and tells the journal
// how long it took to end if it was asked to.
func (k *worker) checkEnd(result *harness.Result) {
	t := k.world.t
	if strings.Contains(result.Stderr, "\ngoroutine ") {
		t.Errorf("%s panicked", k.name)
	}
	if strings.Contains(result.Stderr, "40P01") || strings.Contains(result.Stderr, "deadlock detected") {
		t.Errorf("%s met a deadlock", k.name)
	}
	if k.world.scenario.keeps && strings.Contains(result.Stderr, "the broker has lost") {
		t.Errorf("%s missed batches in the stream and in the database, where nobody took any", k.name)
	}
	if asked := k.asked.Load(); asked != nil && result.Signal == 0 {
		ended := k.began.Add(result.Took)
		if ended.Before(*asked) {
			ended = *asked
		}
		k.world.journal.stopped(*asked, ended)
	}
}

// freeze stops the process for so long. It may be called from anywhere.
func (k *worker) freeze(d time.Duration) {
	pid := int(k.pid.Load())
	if syscall.Kill(pid, syscall.SIGSTOP) != nil {
		return
	}
	k.frozen.Store(true)
	now := time.Now()
	k.struck.Store(&strike{now, now.Add(d)})
	time.AfterFunc(d, func() {
		_ = syscall.Kill(pid, syscall.SIGCONT)
		k.frozen.Store(false)
	})
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
