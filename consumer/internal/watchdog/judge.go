package watchdog

import (
	"fmt"
	"time"
)

const (
	// lostAfter is how long a dependency may be without an answer while the
	// consumer still counts as ready: three looks.
	lostAfter = 3 * time.Second
	// notReadyAfter and stalledAfter are how long there may be work and no
	// progress before readiness ends and before something is done about it.
	notReadyAfter = 4 * time.Second
	stalledAfter  = 5 * time.Second
	// reconnectEvery is when, into a stall, the connection is made anew, and how
	// often from then on.
	reconnectEvery = 10 * time.Second
	// hopelessAfter is when rebuilding has not cured a stall.
	hopelessAfter = 30 * time.Second
)

// Work is what the consumer did of late.
type Work struct {
	// Progress is when a message was last fetched or committed.
	Progress time.Time
	// Held says that messages are in hand; InFlight that a transaction is.
	Held, InFlight bool
	// Failing is why PostgreSQL does not take what is written, empty when it does
	// or nobody has tried; FailingSince is from when on.
	Failing      string
	FailingSince time.Time
}

// look is one look at everything.
type look struct {
	at time.Time
	// postgres and nats are why they do not answer; nil when they do.
	postgres, nats error
	// deliverable says that the stream has messages for whoever asks. With
	// unknown set, nobody knows.
	deliverable bool
	unknown     error
	work        Work
}

type action int

const (
	nothing action = iota
	resubscribe
	reconnect
	giveUp
)

// judge decides what looks mean. It starts with begin.
type judge struct {
	postgres, nats   time.Time // when they last answered
	postgresE, natsE error
	since            time.Time // from when on there was work and no progress
	stalled          time.Duration
	resubscribed     bool
	reconnected      time.Time
	failing          string
}

// begin is when all is known to have worked.
func (j *judge) begin(at time.Time) {
	j.postgres, j.nats = at, at
	j.recovered(at)
}

// judge takes in a look and says what is to be done.
func (j *judge) judge(l look) action {
	if j.postgresE = l.postgres; l.postgres == nil {
		j.postgres = l.at
	}
	// Connected, and silent when asked, is no answer either.
	if j.natsE = l.nats; l.nats == nil {
		if j.natsE = l.unknown; l.unknown == nil {
			j.nats = l.at
		}
	}
	j.failing = ""
	if l.work.Failing != "" && l.at.Sub(l.work.FailingSince) >= lostAfter {
		j.failing = l.work.Failing
	}
	return j.watch(l)
}

// watch looks for stalls.
func (j *judge) watch(l look) action {
	if l.work.Progress.After(j.since) {
		j.recovered(l.work.Progress)
	}
	switch {
	case l.nats != nil:
		// Rebuilding takes the connection away for a moment, which cures nothing.
		if l.at.Sub(j.reconnected) >= stalledAfter {
			j.recovered(l.at)
		}
		j.stalled = l.at.Sub(j.since)
		return nothing
	case l.postgres != nil, l.work.InFlight, l.work.Failing != "",
		l.unknown == nil && !l.deliverable && !l.work.Held:
		j.recovered(l.at)
	}
	j.stalled = l.at.Sub(j.since)
	switch {
	// A server that answers nobody is not cured by another process.
	case j.stalled >= hopelessAfter && l.unknown == nil:
		return giveUp
	case j.stalled >= reconnectEvery && l.at.Sub(j.reconnected) >= reconnectEvery:
		j.reconnected = l.at
		return reconnect
	case j.stalled >= stalledAfter && !j.resubscribed:
		j.resubscribed = true
		return resubscribe
	}
	return nothing
}

func (j *judge) recovered(at time.Time) {
	j.since, j.stalled, j.resubscribed, j.reconnected = at, 0, false, time.Time{}
}

// notReady is why the consumer does not do its work at the time of the last
// look; empty when it does. It is one line, and its errors are not escaped.
func (j *judge) notReady(now time.Time) string {
	switch {
	case now.Sub(j.postgres) >= lostAfter:
		return "PostgreSQL does not answer" + because(j.postgresE)
	case now.Sub(j.nats) >= lostAfter:
		return "NATS does not answer" + because(j.natsE)
	case j.failing != "":
		return "PostgreSQL does not take what is written: " + j.failing
	case j.stalled >= notReadyAfter:
		return fmt.Sprintf("stalled: messages wait, and none was fetched or committed for %d s", int(j.stalled.Seconds()))
	}
	return ""
}

func because(err error) string {
	if err == nil {
		return ""
	}
	return ": " + err.Error()
}
