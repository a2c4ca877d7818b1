package deliver

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/producer/internal/columns"
)

// output is what a watch printed or told, which may be waited for.
type output struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{}
}

func newOutput() *output { return &output{changed: make(chan struct{}, 1)} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.changed <- struct{}{}:
	default:
	}
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func (o *output) waitFor(t *testing.T, text string) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for !strings.Contains(o.String(), text) {
		select {
		case <-o.changed:
		case <-deadline:
			t.Fatalf("%q lacks %q", o.String(), text)
		}
	}
}

// A watch goes on whatever its files are, and ends in peace.
func TestWatch(t *testing.T) {
	folder := t.TempDir()
	put := func(name, content string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	printed, told := newOutput(), newOutput()
	ended := make(chan error, 1)
	cfg := Config{
		Inputs: []string{folder}, Exclude: []string{"x*"}, Settle: leastSettle, DryRun: true, Out: printed,
		Columns: columns.Options{Delimiter: ";"},
	}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	go func() { ended <- Watch(ctx, cfg, slog.New(slog.NewTextHandler(told, nil))) }()
	told.waitFor(t, "a file is loaded once it has not changed for 100ms")
	put("x.csv", "excluded")
	put("bad.csv", "")
	told.waitFor(t, "bad.csv: it is empty")
	put("good.csv", "timestamp;price;user_id\n1/10/2012;50;9\n1/10/2012;x;9\n")
	printed.waitFor(t, "good.csv: 2 records, 1 row, 1 rejected")
	told.waitFor(t, `good.csv:3: price \"x\": not a decimal number`)
	put("bad.csv", "timestamp;price;user_id\n1/10/2012;50;9\n")
	printed.waitFor(t, "bad.csv: 1 record, 1 row, 0 rejected")
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("error %v", err)
	}
	if !strings.Contains(told.String(), "watched: 3 files, 0 records sent, 1 file failed") {
		t.Errorf("told %s", told)
	}
	if strings.Contains(printed.String()+told.String(), "x.csv") {
		t.Errorf("an excluded file was read: %s%s", printed, told)
	}
}

func TestWatchRefuses(t *testing.T) {
	file := write(t, "a.csv", "x")
	for name, c := range map[string]struct {
		cfg  Config
		want string
	}{
		"absent":  {Config{Inputs: []string{filepath.Join(t.TempDir(), "none")}}, "none: no such folder. Check the path, or make it"},
		"file":    {Config{Inputs: []string{file}}, "a.csv is no folder. Load a file without 'watch'"},
		"URL":     {Config{Inputs: []string{"https://h.example/drops?SECRET"}}, "a URL can't be watched. Name a folder on this machine"},
		"pattern": {Config{Inputs: []string{t.TempDir()}, Exclude: []string{"[a"}}, "--exclude: [a is no valid pattern"},
	} {
		t.Run(name, func(t *testing.T) {
			c.cfg.DryRun, c.cfg.Out = true, io.Discard
			err := Watch(t.Context(), c.cfg, slog.New(slog.DiscardHandler))
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "SECRET") {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// Without NATS a watch ends at once, unless it has been stopped.
func TestWatchWithoutServer(t *testing.T) {
	cfg := Config{Inputs: []string{t.TempDir()}, Out: io.Discard}
	cfg.Server.URL = "nats://127.0.0.1:9"
	if err := Watch(t.Context(), cfg, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "cannot reach NATS") {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Watch(ctx, cfg, slog.New(slog.DiscardHandler)); err != nil {
		t.Errorf("error %v", err)
	}
}
