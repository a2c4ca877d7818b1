package tally_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/streamgauge/streamgauge/consumer/internal/tally"
	"github.com/streamgauge/streamgauge/shared/record"
)

const dayLength = 24 * 60 * 60 * 1_000_000

// What a row costs in a transaction of 50,000, in the order of their days as in
// the samples and in none.
func BenchmarkSummarize(b *testing.B) {
	const batches, each = 100, 500
	for _, test := range []struct {
		days    int
		ordered bool
		cents   bool
	}{{10, true, false}, {10, true, true}, {366, false, false}, {366, false, true}, {3653, false, false}} {
		b.Run(fmt.Sprintf("%d days, ordered=%t, cents=%t", test.days, test.ordered, test.cents), func(b *testing.B) {
			random := rand.New(rand.NewPCG(1, 2))
			part := tally.Part{SourceID: 1}
			for i := range batches {
				sheet := tally.NewSheet(each)
				for j := range each {
					day := random.IntN(test.days)
					if test.ordered {
						day = (i*each + j) * test.days / (batches * each)
					}
					row := record.Row{Timestamp: int64(15_000+day) * dayLength, Price: record.Decimal{Lo: 10 + random.Uint64N(91)}}
					if test.cents {
						row.Price = record.Decimal{Lo: 1000 + random.Uint64N(9100), Scale: 2}
					}
					sheet.Add(&row)
				}
				part.Sheets = append(part.Sheets, &sheet)
			}
			b.ReportAllocs()
			for b.Loop() {
				if s := tally.Summarize([]tally.Part{part}); s.Total.Rows != batches*each {
					b.Fatal(s.Total.Rows)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(batches*each), "ns/row")
		})
	}
}

func BenchmarkSheet(b *testing.B) {
	row := record.Row{Timestamp: 1, Price: record.Decimal{Lo: 50}, UserID: 9}
	sheet := tally.NewSheet(500)
	b.ReportAllocs()
	for b.Loop() {
		if sheet.Rows == 500 {
			sheet = sheet.Emptied()
		}
		sheet.Add(&row)
	}
}
