// Package harness gives each test an environment of its own (a NATS account,
// a PostgreSQL database) on real servers that the test binary shares, and runs
// the real producer and consumer in it as processes.
//
// The servers are containers; where there is no Docker engine they are
// processes of the sandbox. One line on standard error says which was chosen.
// They start with the first environment and end with the test binary.
//
// A package that uses it has
//
//	func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
package harness

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"
)

// closingTime is what ending the servers may take. That long before the test
// binary's -timeout, whose panic would skip it, they are ended.
const closingTime = 5 * time.Second

// shared is the servers and binaries of this test binary.
var shared = newSession()

// Main runs the tests and ends what they started, also on an interrupt and
// just before the test binary's -timeout. It returns the exit code.
//
// With KEEP_SERVERS=1 the containers stay after a failure, until the next run
// of any package that uses the harness, so that the databases of the failed
// tests can be looked at.
func Main(m *testing.M) int {
	flag.Parse()
	stop := guard()
	defer stop()
	code := m.Run()
	if err := shared.close(code != 0 && keepServers()); err != nil {
		fmt.Fprintln(os.Stderr, "harness: ending the servers:", err)
		return max(code, 1)
	}
	return code
}

func keepServers() bool { return os.Getenv("KEEP_SERVERS") == "1" }

// guard ends the servers when the process is about to end without Main's help.
func guard() (stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	var timeout <-chan time.Time
	if limit := testTimeout(); limit > closingTime {
		timer := time.NewTimer(limit - closingTime)
		timeout = timer.C
	}
	done := make(chan struct{})
	go func() {
		select {
		case <-done:
		case <-timeout:
			fmt.Fprintf(os.Stderr, "harness: the test binary's -timeout is %s away: ending the servers\n", closingTime)
			shared.dumpProcesses(os.Stderr)
			_ = shared.close(false)
		case s := <-signals:
			fmt.Fprintf(os.Stderr, "harness: %s: ending the servers\n", s)
			_ = shared.close(false)
			os.Exit(130)
		}
	}()
	return func() {
		signal.Stop(signals)
		close(done)
	}
}

// testTimeout returns the -timeout of the test binary, 0 for none.
func testTimeout() time.Duration {
	found := flag.Lookup("test.timeout")
	if found == nil {
		return 0
	}
	limit, ok := found.Value.(flag.Getter).Get().(time.Duration)
	if !ok {
		return 0
	}
	return limit
}
