package faults

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/sandbox/postgres"
	"github.com/streamgauge/streamgauge/shared/topology"
	"github.com/streamgauge/streamgauge/tests/checkout"
	"github.com/streamgauge/streamgauge/tests/clock"
	"github.com/streamgauge/streamgauge/tests/harness"
)

// clocks are those that a run may shift.
type clocks int

const (
	none clocks = iota
	programClocks
	natsClock
)

// How far clocks jump.
const (
	dayBack   = -24 * time.Hour
	yearAhead = 365 * 24 * time.Hour
)

var clockFaults = []scenario{
	{
		name: "clock-programs", what: "wall clocks of consumers and producer a day back, a year ahead, right again, at work; a consumer killed between", clocks: programClocks, records: 60_000, consumers: 2,
		prepare: func(w *world) {
			w.jump("the programs'", w.setShift, func() time.Duration { return time.Until(w.logged()) })
			w.killBetween()
		},
	},
	{
		name: "clock-nats", what: "NATS's wall clock a day back, a year ahead, right again, at work; a consumer killed between", clocks: natsClock, records: 60_000, consumers: 2,
		prepare: func(w *world) {
			w.jump("NATS's", w.setShift, func() time.Duration {
				ctx, cancel := w.context(stepTime)
				defer cancel()
				stream, err := w.env.JetStream(w.t).Stream(ctx, topology.StreamRows)
				if err != nil {
					w.t.Fatal(err)
				}
				return time.Until(stream.CachedInfo().TimeStamp)
			})
			w.killBetween()
		},
	},
	{
		name: "clock-postgres", what: "PostgreSQL's wall clock (libfaketime) a day back, a year ahead, right again, at work; a consumer killed between", records: 60_000, consumers: 2,
		ownPostgres: fakedPostgres,
		prepare: func(w *world) {
			w.jump("PostgreSQL's", w.setFaked, func() time.Duration {
				ctx, cancel := w.context(stepTime)
				defer cancel()
				var at time.Time
				if err := w.env.DB.QueryRow(ctx, "SELECT clock_timestamp()").Scan(&at); err != nil {
					w.t.Fatal(err)
				}
				return time.Until(at)
			})
			w.killBetween()
		},
	},
}

// jump shifts clocks several times, and sees that they follow each time.
func (w *world) jump(whose string, set func(time.Duration), off func() time.Duration) {
	order := [][]time.Duration{{dayBack, yearAhead, 0}, {yearAhead, 0, dayBack}, {dayBack, 0}, {yearAhead, dayBack}}[w.random.IntN(4)]
	jumps := 0
	for i, by := range order {
		at := (float64(i) + 0.2 + 0.6*w.random.Float64()) / float64(len(order)) * 0.85
		w.at(at, func() {
			jumps++
			this, deadline := jumps, time.Now().Add(stepTime)
			w.journal.faultf("%s clocks off by %s at %d records", whose, by, w.stored)
			set(by)
			w.journal.over()
			w.events = append(w.events, event{due: func() bool {
				if this != jumps || (off()-by).Abs() < time.Minute {
					return true
				}
				if time.Now().After(deadline) {
					w.t.Fatalf("%s clocks are off by %s, not by %s", whose, off(), by)
				}
				return false
			}, do: func() {}})
		})
	}
}

func (w *world) killBetween() {
	w.at(w.somewhere(), func() {
		w.journal.faultf("consumer 1 killed at %d records", w.stored)
		w.consumers[0].signal(syscall.SIGKILL)
		w.journal.over()
	})
}

func (w *world) setShift(by time.Duration) {
	if err := w.shift.Set(by); err != nil {
		w.t.Fatal(err)
	}
}

// logged is the time of the producer's or a consumer's last line.
func (w *world) logged() time.Time {
	var latest time.Time
	for _, k := range w.consumers {
		for line := range strings.SplitSeq(k.process.Stderr(), "\n") {
			_, rest, _ := strings.Cut(line, "time=")
			text, _, _ := strings.Cut(rest, " ")
			if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
				latest = at
			}
		}
	}
	return latest
}

func newShift(t *testing.T) *clock.Shift {
	t.Helper()
	shift, err := clock.NewShift(filepath.Join(t.TempDir(), "shift"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := shift.Close(); err != nil {
			t.Error(err)
		}
	})
	return shift
}

// shiftedPrograms are built once for all runs.
var shiftedPrograms programs

type programs struct {
	once sync.Once
	dir  string
	err  error
}

// binary returns the path of a program whose wall clock can be shifted.
func (p *programs) binary(t *testing.T, name string) string {
	t.Helper()
	p.once.Do(func() { p.err = p.build() })
	if p.err != nil {
		t.Fatal(p.err)
	}
	return filepath.Join(p.dir, "bin", name)
}

func (p *programs) build() error {
	root, err := checkout.Root()
	if err != nil {
		return err
	}
	if p.dir, err = os.MkdirTemp("", "streamgauge-clocks-*"); err != nil {
		return err
	}
	return clock.Build(context.Background(), root, filepath.Join(p.dir, "bin"), "./producer", "./consumer", "github.com/nats-io/nats-server/v2")
}

func (p *programs) remove() { _ = os.RemoveAll(p.dir) }

// fakedPostgres is a server whose clock setFaked shifts. It is started by a
// script beside PostgreSQL's own binaries, which hands the server the library.
func fakedPostgres(w *world) postgres.Config {
	t := w.t
	t.Helper()
	var library string
	for _, pattern := range []string{"/usr/lib/*/faketime/libfaketime.so.1", "/usr/lib*/faketime/libfaketime.so.1", "/usr/local/lib/faketime/libfaketime.so.1"} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			library = found[0]
			break
		}
	}
	if library == "" {
		harness.Unable(t, "PostgreSQL's clock needs libfaketime to be shifted (package libfaketime on Debian), which is not installed")
	}
	real, err := postgres.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	folder := openFolder(t)
	w.faked = filepath.Join(folder, "shift")
	bin := filepath.Join(folder, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	w.setFaked(0)
	for name, preload := range map[string]string{
		"initdb": "",
		// Each process looks at the file once a second.
		"postgres": fmt.Sprintf("LD_PRELOAD=%s FAKETIME_TIMESTAMP_FILE=%s FAKETIME_CACHE_DURATION=1 FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_DISABLE_SHM=1 ", library, w.faked),
	} {
		script := fmt.Sprintf("#!/bin/sh\n%sexec %s \"$@\"\n", preload, filepath.Join(real.Dir, name))
		if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return postgres.Config{BinDir: bin, Settings: map[string]string{"fsync": "off"}}
}

// setFaked shifts PostgreSQL's clock.
func (w *world) setFaked(by time.Duration) {
	next := w.faked + ".next"
	if err := os.WriteFile(next, fmt.Appendf(nil, "%+d\n", by/time.Second), 0o644); err != nil {
		w.t.Fatal(err)
	}
	// The server never reads half of it.
	if err := os.Rename(next, w.faked); err != nil {
		w.t.Fatal(err)
	}
}
