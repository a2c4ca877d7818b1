package faults

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/tests/harness"
)

// journal tells what was done in a run, and what became of it. It is safe for
// concurrent use.
type journal struct {
	began time.Time

	mu     sync.Mutex
	result result
	struck time.Time // when the fault began that work has not resumed from
	acks   int64
	spells []spell
	delays *harness.Delays // of the programs and the run's own servers, nil before they start
}

// spell is how long something took for which there is a bound.
type spell struct {
	from, to time.Time
	bound    bound
	delays   *harness.Delays // of those it was up to
}

// bound is what is promised.
type bound struct {
	what string
	most time.Duration
}

// result is a run as a line of JSON.
type result struct {
	Fault string `json:"fault"`
	What  string `json:"what"`
	Seed  uint64 `json:"seed"`
	// Failed says that something was lost, doubled or altered, or stuck.
	Failed bool `json:"failed"`
	// Injected counts what was done, Schedule says it.
	Injected int      `json:"injected"`
	Schedule []string `json:"schedule"`
	// Processes counts the programs that were started.
	Processes int `json:"processes"`
	// Redelivered counts messages that came again, Absorbed those that were
	// acknowledged without effect.
	Redelivered int64 `json:"redelivered"`
	Absorbed    int64 `json:"absorbed"`
	// RecoveredMS are the times from a fault's end to the next commit.
	RecoveredMS []int64 `json:"recovered_ms"`
	// UnreadyMS are the times from a dependency's loss to /readyz saying so,
	// StoppedMS those from SIGTERM, or SIGINT, to the process's end.
	UnreadyMS []int64 `json:"unready_ms"`
	StoppedMS []int64 `json:"stopped_ms"`
	TookMS    int64   `json:"took_ms"`
}

func newJournal(t *testing.T, s scenario, seed uint64) *journal {
	t.Helper()
	j := &journal{began: time.Now(), result: result{Fault: s.name, What: s.what, Seed: seed}}
	t.Cleanup(func() { j.write(t) })
	return j
}

// watch has what took too long judged by the delays.
func (j *journal) watch(delays *harness.Delays) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.delays = delays
}

// faultf notes something that was done.
func (j *journal) faultf(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.result.Injected++
	j.add(fmt.Sprintf(format, args...))
}

// notef notes something that happened by itself.
func (j *journal) notef(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.add(fmt.Sprintf(format, args...))
}

func (j *journal) add(text string) {
	const most = 40
	if len(j.result.Schedule) < most {
		j.result.Schedule = append(j.result.Schedule, fmt.Sprintf("%.3f s: %s", time.Since(j.began).Seconds(), text))
	}
}

// over says that a fault has ended: from now on work has to resume.
func (j *journal) over() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.struck = time.Now()
}

// progressed says that something was committed.
func (j *journal) progressed() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.struck.IsZero() {
		j.result.RecoveredMS = append(j.result.RecoveredMS, j.took(resume, j.struck, time.Now()))
		j.struck = time.Time{}
	}
}

// took notes a spell, and returns its milliseconds.
func (j *journal) took(b bound, from, to time.Time) int64 {
	j.spells = append(j.spells, spell{from, to, b, j.delays})
	return to.Sub(from).Milliseconds()
}

func (j *journal) started() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.result.Processes++
}

// delivered is told how often a message has been delivered and, if one who was
// struck had held it, since when it was due.
func (j *journal) delivered(times int, due time.Time) {
	if times <= 1 {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.result.Redelivered++
	if !due.IsZero() {
		j.took(returned, due, time.Now())
	}
}

func (j *journal) acked() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.acks++
}

// absorbed is told how many messages took effect.
func (j *journal) absorbed(effective int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.result.Absorbed = max(0, j.acks-effective)
}

// unready is told when a consumer lost a dependency, until when it was called
// ready, and when it said that it is not. What is done elsewhere meanwhile is no
// excuse: only the consumer's own delays count.
func (j *journal) unready(lost, ready, told time.Time, own *harness.Delays) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.spells = append(j.spells, spell{lost, ready, unready, own})
	j.result.UnreadyMS = append(j.result.UnreadyMS, told.Sub(lost).Milliseconds())
}

// stopped is told when a process was asked to end, and when it had.
func (j *journal) stopped(asked, ended time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.result.StoppedMS = append(j.result.StoppedMS, j.took(stop, asked, ended))
}

// checkInjected fails a run in which nothing went wrong: it has shown nothing.
func (j *journal) checkInjected(t *testing.T) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.result.Injected == 0 {
		t.Error("no fault was injected")
	}
}

// polling is room for the driver's own.
const polling = 500 * time.Millisecond

// What may pass until work goes on, that which a dead peer held among it, until
// /readyz says that it can't, and until a process that was asked to end has ended.
var (
	resume   = bound{"work resumed only", 10*time.Second + polling}
	returned = bound{"what a struck consumer had held was delivered again only", 10*time.Second + polling}
	unready  = bound{"a consumer was called ready", 5*time.Second + polling}
	stop     = bound{"a process ended, as it was asked to, only", 5*time.Second + polling}
)

// checkTimes fails the run where something took longer than is promised and the
// machine does not account for it; where it does, the schedule tells.
func (j *journal) checkTimes(t *testing.T) {
	t.Helper()
	for _, s := range j.spells {
		told, broken := s.delays.Keeps(s.from, s.to, s.bound.most)
		switch {
		case broken:
			t.Errorf("%s after %s", s.bound.what, told)
		case told != "":
			j.add(s.bound.what + " after " + told + ": the machine's delay")
		}
	}
}

func (j *journal) write(t *testing.T) {
	t.Helper()
	if t.Skipped() {
		return // it would count as a run
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.checkTimes(t)
	j.result.Failed = t.Failed()
	j.result.TookMS = time.Since(j.began).Milliseconds()
	line, err := json.Marshal(j.result)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", line)
	if *outputFile == "" {
		return
	}
	output.Lock()
	defer output.Unlock()
	f, err := os.OpenFile(*outputFile, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(append(line, '\n')); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

// output orders the lines of runs side by side.
var output sync.Mutex
