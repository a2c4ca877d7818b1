package deliver

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/producer/internal/columns"
	"github.com/streamgauge/streamgauge/shared/topology"
	"github.com/streamgauge/streamgauge/shared/wire"
)

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// dryRun returns what was printed, told, and failed.
func dryRun(ctx context.Context, t *testing.T, cfg Config) (out, talk string, err error) {
	t.Helper()
	var printed, told bytes.Buffer
	cfg.DryRun, cfg.Out = true, &printed
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	err = Run(ctx, cfg, slog.New(slog.NewTextHandler(&told, nil)))
	return printed.String(), told.String(), err
}

func TestDryRun(t *testing.T) {
	bad := "timestamp,price,user_id\n1/10/2012,50,9\n1/10/2012,x,9\n\n1/10/2012,50\n1/10/2012,,9\n" + strings.Repeat("y", 70_000) + "\n1/10/2012,\"open,9"
	out, talk, err := dryRun(t.Context(), t, Config{Inputs: []string{write(t, "bad.csv", bad)}})
	if !errors.Is(err, ErrIncomplete) {
		t.Errorf("error %v, want ErrIncomplete", err)
	}
	if !strings.HasPrefix(out, "bad.csv: 6 records, 2 rows, 4 rejected, 3 batches, nothing sent, id ") {
		t.Errorf("printed %q", out)
	}
	for _, want := range []string{`bad.csv:3: price \"x\": not a decimal number`, "bad.csv:5: fewer fields than the source has columns (2, not 3)", "bad.csv:7: record is longer", "bad.csv:8: a quote opens"} {
		if !strings.Contains(talk, want) {
			t.Errorf("told %q, which lacks %q", talk, want)
		}
	}
}

func TestDryRunOfGoodFile(t *testing.T) {
	content := "user_id;precio;timestamp\n9;1,5;2012-01-10\n"
	out, talk, err := dryRun(t.Context(), t, Config{Inputs: []string{write(t, "a.csv", content)}, Columns: columns.Options{
		Delimiter: ";", DecimalComma: true, Map: map[string]string{"price": "precio"},
	}, Label: "again"})
	if err != nil || talk != "" {
		t.Errorf("told %q, %v", talk, err)
	}
	want := "a.csv: 1 record, 1 row, 0 rejected, 1 batch, nothing sent, id " + wire.SourceID(sha256.Sum256([]byte(content)), "again") + "\n"
	if diff := cmp.Diff(want, out); diff != "" {
		t.Errorf("printed (-want +got):\n%s", diff)
	}
}

// One file that fails keeps no other from its turn.
func TestOtherFilesGoOn(t *testing.T) {
	good := write(t, "good.csv", "timestamp,price,user_id\n1/10/2012,50,9\n")
	empty := write(t, "empty.csv", "")
	out, talk, err := dryRun(t.Context(), t, Config{Inputs: []string{"absent.csv", empty, good}})
	var files *FilesError
	if !errors.As(err, &files) || files.Failed != 2 || files.Files != 3 {
		t.Errorf("error %v", err)
	}
	if !strings.HasPrefix(out, "good.csv: 1 record") || strings.Count(out, "\n") != 1 {
		t.Errorf("printed %q", out)
	}
	for _, want := range []string{"absent.csv: no such file", "empty.csv: it is empty"} {
		if !strings.Contains(talk, want) {
			t.Errorf("told %q, which lacks %q", talk, want)
		}
	}
}

// A member of an archive whose name can't be stored keeps no other from its turn.
func TestNameWithNUL(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.zip")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	archive := zip.NewWriter(file)
	for _, name := range []string{"a\x00b.csv", "c.csv"} {
		w, err := archive.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte("timestamp,price,user_id\n1/10/2012,50,9\n")); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	out, talk, err := dryRun(t.Context(), t, Config{Inputs: []string{path}})
	var files *FilesError
	if !errors.As(err, &files) || files.Failed != 1 || files.Files != 2 {
		t.Errorf("error %v", err)
	}
	if want := "its name holds a NUL, which PostgreSQL can't store. Rename it in the archive, or"; !strings.Contains(talk, want) {
		t.Errorf("told %q, which lacks %q", talk, want)
	}
	if !strings.HasPrefix(out, "a.zip!c.csv: 1 record") || strings.Count(out, "\n") != 1 {
		t.Errorf("printed %q", out)
	}
}

func TestOneFailureIsTheRunsOwn(t *testing.T) {
	_, talk, err := dryRun(t.Context(), t, Config{Inputs: []string{"absent.csv"}})
	if err == nil || err.Error() != "absent.csv: no such file. Check the path" || talk != "" {
		t.Errorf("error %v, told %q", err, talk)
	}
}

func TestInterruptedBeforeAnything(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	out, _, err := dryRun(ctx, t, Config{Inputs: []string{write(t, "a.csv", "timestamp,price,user_id\n1/10/2012,50,9\n")}, JSON: true})
	var stopped *StoppedError
	if !errors.As(err, &stopped) || !strings.Contains(out, `"state":"interrupted"`) {
		t.Errorf("error %v, printed %q", err, out)
	}
}

func TestValidate(t *testing.T) {
	base := Config{Inputs: []string{"a.csv"}}
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"defaults":          {func(*Config) {}, ""},
		"largest batch":     {func(c *Config) { c.BatchSize = wire.MaxRecords }, ""},
		"no input":          {func(c *Config) { c.Inputs = nil }, "no file given"},
		"batch size":        {func(c *Config) { c.BatchSize = -1 }, "--batch-size"},
		"batch size, large": {func(c *Config) { c.BatchSize = wire.MaxRecords + 1 }, "--batch-size"},
		"max bytes":         {func(c *Config) { c.Streams.MaxBytes = 1000 }, "--max-bytes"},
		"replicas":          {func(c *Config) { c.Streams.Replicas = 2 }, "--replicas"},
		"label":             {func(c *Config) { c.Label = "a b" }, "--label"},
		"wait for nothing":  {func(c *Config) { c.DryRun, c.Wait = true, true }, "--dry-run"},
		"server":            {func(c *Config) { c.Server = topology.Server{URL: "x", Context: "y"} }, "context"},
		"columns":           {func(c *Config) { c.Columns.Timezone = "Local" }, "--timezone"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := base
			c.change(&cfg)
			err := cfg.Validate()
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}
