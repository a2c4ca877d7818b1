package present

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/tests/benchmarks/contend"
	"github.com/streamgauge/streamgauge/tests/benchmarks/result"
)

func sample() *result.Report {
	run := func(seconds float64, cpu map[string]float64) result.Run {
		return result.Run{
			Round: 1, Rows: 2_000_000, Seconds: seconds, ProcessSeconds: seconds, CPUSeconds: cpu,
			PeakBytes: map[string]int64{result.Producer: 22 << 20},
		}
	}
	return &result.Report{
		Rows: 2_000_000, Rounds: 1,
		Contenders: []result.Contender{
			{Key: contend.KeyCopyPlain, Title: "COPY", Runs: []result.Run{run(2, map[string]float64{result.Postgres: 2})}},
			{Key: contend.KeyPair, Title: "the pair & more", Runs: []result.Run{run(1, map[string]float64{result.Broker: 1, result.Postgres: 1})}},
			{Key: contend.KeyPsql, Title: `psql \copy`},
		},
		Growth: []result.Growth{{
			Key: contend.KeyPair, Title: "the pair", Run: run(10, nil), Quarters: [4]float64{4, 3, 2, 1},
			Rate:     []result.Point{{Seconds: 0, Value: 1e6}, {Seconds: 1, Value: 2e6}},
			Resident: map[string][]result.Point{result.Producer: {{Seconds: 0, Value: 2e7}}},
		}},
	}
}

func TestTables(t *testing.T) {
	text := Tables(sample())
	for _, want := range []string{
		"| the pair ÷ COPY, three plain columns | 1.25 | 1.5 | 2.00 (2.00–2.00) |",
		"| batches of 100 ÷ COPY, three plain columns | 0.7 | 1.0 | not measured |",
		"| CPU seconds for a million rows, all four processes | ≤ 1.2 | 0.9 | 1.00 (1.00–1.00) |",
		"| long load: last quarter ÷ first | 0.9 | 1.0 | 0.25 |",
		"| the pair & more | 2.00 (2.00–2.00) | 2.00 (2.00–2.00) |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestPlotIsWellFormed(t *testing.T) {
	for name, report := range map[string]*result.Report{"all": sample(), "nothing": {}} {
		t.Run(name, func(t *testing.T) {
			decoder := xml.NewDecoder(strings.NewReader(Plot(report)))
			for {
				_, err := decoder.Token()
				if errors.Is(err, io.EOF) {
					return
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestWriteKeepsWhatIsWrittenByHand(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, document)
	if err := os.WriteFile(path, []byte("# By hand\n\n"+markBegin+"old\n"+markEnd+"\nmore by hand\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := Write(dir, sample()); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(text), "# By hand\n\n"+markBegin) || !strings.HasSuffix(string(text), markEnd+"\nmore by hand\n") ||
		strings.Contains(string(text), "old") || strings.Count(string(text), "| the pair & more | 2.00") != 1 {
		t.Errorf("the document became\n%s", text)
	}
	for _, name := range []string{data, plot} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWriteRefusesADocumentWithoutMarks(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, document), []byte("by hand\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Write(dir, sample()); err == nil {
		t.Error("what was written by hand was overwritten")
	}
}

func TestRoundStep(t *testing.T) {
	for v, want := range map[float64]float64{0.3: 0.5, 1: 1, 1.1: 2, 6: 10, 40: 50, 0.02: 0.02} {
		if got := roundStep(v); got < want*0.999 || got > want*1.001 {
			t.Errorf("roundStep(%v) = %v, want %v", v, got, want)
		}
	}
}
