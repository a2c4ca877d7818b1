package simulation

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamgauge/streamgauge/producer/internal/publish"
)

// Where NATS does not let questions through, --wait is an error at once, and says
// what is queued; without it all is sent.
func TestQuestionsDenied(t *testing.T) {
	const word = `NATS denies it: Publish to "streamgauge.load"`
	for name, c := range map[string]struct {
		after  time.Duration
		wait   bool
		code   int
		sent   int // batches
		says   string
		within time.Duration
	}{
		"before it is sent":    {0, true, exitFailed, 0, word, time.Second},
		"while it is waited":   {500 * time.Millisecond, true, exitFailed, 4, "All of a.csv is queued, and is stored all the same", 2 * time.Second},
		"nobody waits for one": {0, false, exitDone, 4, "", time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFailing(t)
				p := newProcess(f.world, 0, 1, 3, c.wait)
				p.denied = func() error {
					if time.Since(f.began) < c.after {
						return nil
					}
					return &publish.DeniedError{Cause: errors.New(`Publish to "streamgauge.load"`)}
				}
				if c.after == 0 {
					f.consumers.muted = true
				} else {
					f.after(c.after, func() { f.consumers.muted = true })
				}
				o := p.run(t.Context())
				if o.code != c.code || (o.err == nil) != (c.says == "") {
					t.Fatalf("exit code %d, %v", o.code, o.err)
				}
				if o.err != nil && (!strings.HasPrefix(o.err.Error(), word) || !strings.Contains(o.err.Error(), c.says)) {
					t.Errorf("error %v, want %q", o.err, c.says)
				}
				if len(p.sent) != c.sent {
					t.Errorf("%d batches were sent, want %d", len(p.sent), c.sent)
				}
				if took := time.Since(f.began); took > c.after+c.within {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}
