package simulation

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamgauge/streamgauge/producer/internal/report"
	"github.com/streamgauge/streamgauge/shared/record"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// A file that changes before a part of it is sent again is named once.
func TestChangedBeforeItIsSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFailing(t)
		f.after(500*time.Millisecond, func() {
			f.broker.harm(f.broker.all()...)
			f.write(t, strings.Replace(f.content, "1", "2", 1))
		})
		o := newProcess(f.world, 0, 1, 3, true).run(t.Context())
		if want := "a.csv: it changed while it was being read, and 4 of 4 batches of what it was have been queued or stored. "; o.code != exitFailed || !strings.HasPrefix(o.err.Error(), want) {
			t.Errorf("exit code %d, %v, want %q", o.code, o.err, want)
		}
	})
}

// What is loaded already has a file refused as long as nothing of it was sent;
// afterwards the load has failed.
func TestRefusals(t *testing.T) {
	const sent = 500 * time.Millisecond // after the start, all of it
	named := func(f *failing) {
		f.consumers.named = []wire.Load{{Source: strings.Repeat("0", 64), Name: f.consumers.file.name, Size: 10}}
	}
	retired := func(f *failing) {
		f.store(3, ",")
		f.consumers.retire()
	}
	otherFormat := func(f *failing) { f.store(3, ";") }
	for name, c := range map[string]struct {
		after  time.Duration
		happen func(*failing)
		state  report.State
		want   string
	}{
		"name taken":                {0, named, report.Refused, "its content differs from what was loaded under this name"},
		"name taken while waiting":  {sent, named, report.Failed, "its content differs from what was loaded under this name"},
		"taken back":                {0, retired, report.Refused, "it was loaded and taken back"},
		"taken back while waiting":  {sent, retired, report.Failed, "it was loaded and taken back"},
		"read otherwise":            {0, otherFormat, report.Refused, "it was read otherwise"},
		"read otherwise, meanwhile": {sent, otherFormat, report.Failed, "it was read otherwise"},
		"taken back while it is cut anew": {sent, func(f *failing) {
			f.store(2, ",")
			f.consumers.told = func() { f.consumers.retired = true }
		}, report.Failed, "it was loaded and taken back"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFailing(t)
				if c.after == 0 {
					c.happen(f)
				} else {
					f.after(c.after, func() { c.happen(f) })
				}
				p := newProcess(f.world, 0, 1, 3, true)
				o := p.run(t.Context())
				if prefix := f.consumers.file.name + ": " + c.want; o.err == nil || !strings.HasPrefix(o.err.Error(), prefix) {
					t.Errorf("error %v, want %q", o.err, prefix)
				}
				if o.code != exitFailed || o.file.State != c.state {
					t.Errorf("exit code %d, %s, want %d, %s", o.code, o.file.State, exitFailed, c.state)
				}
				if batches := len(p.sent); (batches > 0) == (c.state == report.Refused) {
					t.Errorf("%d batches were sent before it was %s", batches, c.state)
				}
				for _, violation := range f.violations {
					t.Error(violation)
				}
			})
		})
	}
}

// Without --wait all that is known when everything is sent is told, too: who was
// quicker since the first question has the name, or has cut the source otherwise.
func TestOvertakenWhileItSends(t *testing.T) {
	for name, c := range map[string]struct {
		happen  func(*failing)
		code    int
		state   report.State
		want    string
		batches int // of both sizes
	}{
		"nobody": {func(*failing) {}, exitDone, report.Queued, "", 4},
		"by other content of the name": {func(f *failing) {
			f.consumers.named = []wire.Load{{Source: strings.Repeat("0", 64), Name: f.consumers.file.name, Size: 10}}
		}, exitFailed, report.Failed, "its content differs from what was loaded under this name", 4},
		"by the same, cut otherwise": {func(f *failing) { f.store(2, ",") }, exitDone, report.Queued, "", 4 + 5},
		"by the same, cut alike":     {func(f *failing) { f.store(3, ",") }, exitDone, report.Queued, "", 4},
		"by the database's end":      {func(f *failing) { f.consumers.databaseDown = true }, exitDone, report.Queued, "", 4},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFailing(t)
				f.consumers.asked = func() {
					f.consumers.asked = nil
					c.happen(f)
				}
				p := newProcess(f.world, 0, 1, 3, false)
				o := p.run(t.Context())
				if o.code != c.code || o.file.State != c.state || o.err != nil && !strings.Contains(o.err.Error(), c.want) {
					t.Errorf("exit code %d, %s, %v, want %d, %s, %q", o.code, o.file.State, o.err, c.code, c.state, c.want)
				}
				if len(p.sent) != c.batches {
					t.Errorf("%d batches were sent, want %d", len(p.sent), c.batches)
				}
				for _, violation := range f.violations {
					t.Error(violation)
				}
			})
		})
	}
}

// failing is a world in which nothing is stored by itself, and a file of its own.
type failing struct {
	*world
	content string
}

func newFailing(t *testing.T) *failing {
	t.Helper()
	content, err := os.ReadFile(fixtures[0].path)
	if err != nil {
		t.Fatal(err)
	}
	f := &failing{newWorld(1), string(content)}
	f.calm = f.began
	c := f.consumers
	c.pace, c.poison = 1000*time.Hour, -1
	c.file = &fixture{
		path: filepath.Join(t.TempDir(), "a.csv"), name: "a.csv", size: int64(len(content)),
		source: wire.SourceID(sha256.Sum256(content), ""),
	}
	f.write(t, f.content)
	return f
}

func (f *failing) write(t *testing.T, content string) {
	t.Helper()
	if err := os.WriteFile(f.consumers.file.path, []byte(content), 0o600); err != nil {
		t.Error(err)
	}
}

// store is what another producer's first batch brings about.
func (f *failing) store(size int, delimiter string) {
	f.consumers.store(&message{batch: wire.Batch{
		Source: f.consumers.file.source, Number: 1, Batches: int64((records + size - 1) / size), Records: size,
		Plan: wire.Plan{Format: record.Format{Delimiter: delimiter, Fields: 3, Price: 1, UserID: 2}, BatchSize: size},
	}})
}
