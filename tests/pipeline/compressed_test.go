package pipeline

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/streamgauge/streamgauge/tests/harness"
	"github.com/streamgauge/streamgauge/tests/oracle"
)

func compressed(t *testing.T, w io.WriteCloser, content string) {
	t.Helper()
	if _, err := io.WriteString(w, content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func gzipped(t *testing.T, content string) string {
	t.Helper()
	var out bytes.Buffer
	compressed(t, gzip.NewWriter(&out), content)
	return out.String()
}

// TestCompressed: what is compressed is loaded as what it holds, and is the same
// source. What can't be decompressed to its end sends nothing.
func TestCompressed(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.StartConsumer(t)
	content := func(user string) string {
		return "timestamp,price,user_id\n" + strings.Repeat("1/10/2012,50.5,"+user+"\n", 2000)
	}
	var zstandard, archive bytes.Buffer
	w, err := zstd.NewWriter(&zstandard)
	if err != nil {
		t.Fatal(err)
	}
	compressed(t, w, content("2"))
	entries := zip.NewWriter(&archive)
	for name, user := range map[string]string{"a.csv": "3", "b/a.csv": "4", "validation.csv": "5"} {
		entry, err := entries.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(entry, content(user)); err != nil {
			t.Fatal(err)
		}
	}
	if err := entries.Close(); err != nil {
		t.Fatal(err)
	}
	// The names say nothing of how they are compressed.
	gz := env.File(t, "one.csv", gzipped(t, content("1")))
	zst := env.File(t, "two", zstandard.String())
	zipped := env.File(t, "three.zip", archive.String())
	whole := gzipped(t, content("6"))
	cut := env.File(t, "cut.csv.gz", whole[:len(whole)/2])

	output := env.Producer(t, "--wait", "--exclude", "validation.csv", gz, zst, zipped).Exits(t, 0).Stdout
	for _, name := range []string{"one.csv", "two", "three.zip!a.csv", "three.zip!b/a.csv"} {
		contains(t, "standard output", output, name+": 2000 new, 0 already loaded, 4 batches, committed: 2000 rows, 0 rejected\n")
	}
	if n := strings.Count(output, "\n"); n != 4 {
		t.Errorf("%d sources: %s", n, output)
	}
	plain := env.File(t, "plain.csv", content("1"))
	contains(t, "standard output", env.Producer(t, "--wait", plain).Exits(t, 0).Stdout, "plain.csv: 0 new, 2000 already loaded")

	env.Consumer(t, "verify", gz, zst, zipped+"!b/a.csv").Exits(t, 0)
	contains(t, "standard error", env.Consumer(t, "verify", zipped).Exits(t, 1).Stderr, "three.zip!validation.csv: ")
	contains(t, "standard error", env.Consumer(t, "verify", zipped+"!c.csv").Exits(t, 1).Stderr, "three.zip!c.csv: the archive holds no such .csv file. Name one of those 'unzip -l' lists\n")

	result := env.Producer(t, "--wait", cut).Exits(t, 1)
	contains(t, "standard error", result.Stderr, "producer: cut.csv.gz: it is compressed, and cut off before its end. Copy or download it again\n")
	if n := env.Int(t, "SELECT rows FROM stats"); n != 8000 {
		t.Errorf("%d rows are stored", n)
	}
	oracle.CheckStreamEmpty(t, env)
}
