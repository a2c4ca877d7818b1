package survey

import (
	"bytes"
	"testing"

	"github.com/streamgauge/streamgauge/producer/internal/batch"
	"github.com/streamgauge/streamgauge/producer/internal/columns"
)

// BenchmarkReadings measures a file's two readings, without what is done with
// its batches.
func BenchmarkReadings(b *testing.B) {
	const count = 1_000_000
	content := []byte(header + rows(count))
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		s, err := Read(b.Context(), bytes.NewReader(content), columns.Options{}, 500, nil)
		if err != nil {
			b.Fatal(err)
		}
		buf := make([]byte, 0, 64<<10)
		err = s.Cut(b.Context(), buf, func(batch.Part) ([]byte, error) { return buf, nil })
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*count/b.Elapsed().Seconds(), "rows/s")
}
