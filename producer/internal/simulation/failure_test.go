package simulation

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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
		if want := "a.csv: it changed while it was being read"; o.code != exitFailed || !strings.HasPrefix(o.err.Error(), want) {
			t.Errorf("exit code %d, %v, want %q", o.code, o.err, want)
		}
	})
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
