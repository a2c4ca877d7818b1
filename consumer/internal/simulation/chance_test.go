package simulation

import (
	"fmt"
	"time"
)

// What a decision is about. Together with what tells one such decision from
// another it is the key of a draw.
const (
	aboutSchedule uint64 = iota + 1
	aboutEvent
	aboutFeed
	aboutDelivery
	aboutAnswer
	aboutStatus
	aboutSnapshot
	aboutQuestion
	aboutWrite
	aboutJitter
	aboutRestart
	aboutLock
	aboutEnsure
	aboutPing
	aboutLatest
	aboutKept
)

// chance draws what a key decides under a seed.
type chance uint64

func (c chance) draw(key ...uint64) uint64 {
	h := uint64(c) ^ 0x9e3779b97f4a7c15
	for _, k := range key {
		h = mix(h + k*0xd6e8feb86659fd93 + 0x632be59bd9b4e019)
	}
	return mix(h)
}

// mix is the finalizer of splitmix64 (https://prng.di.unimi.it/splitmix64.c).
func mix(h uint64) uint64 {
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

// below draws from 0 up to n, n excluded.
func (c chance) below(n int, key ...uint64) int { return int(c.draw(key...) % uint64(n)) }

// between draws a time from least up to most, to the nanosecond.
func (c chance) between(least, most time.Duration, key ...uint64) time.Duration {
	return least + time.Duration(c.draw(key...)%uint64(most-least))
}

// trace keeps what happened, where somebody wants to know.
type trace struct {
	on    bool
	began time.Time
	lines []string
}

func (t *trace) notef(format string, args ...any) {
	if t.on {
		t.lines = append(t.lines, fmt.Sprintf("%12.6f ", time.Since(t.began).Seconds())+fmt.Sprintf(format, args...))
	}
}
