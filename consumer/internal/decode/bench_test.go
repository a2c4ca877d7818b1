package decode

import (
	"fmt"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/shared/record"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// BenchmarkDecode is what the consumer does with a batch before PostgreSQL:
// check, cut, parse, add up and encode.
func BenchmarkDecode(b *testing.B) {
	for _, records := range []int{100, 500, 5000} {
		b.Run(fmt.Sprint(records), func(b *testing.B) {
			batch := &wire.Batch{
				Source: strings.Repeat("0a", 32), Name: "2012-1.csv", Size: 1 << 20, Number: 1, Batches: 1,
				FirstLine: 2, Records: records,
				Plan: wire.Plan{Format: record.Format{Delimiter: ",", Fields: 3, Price: 1, UserID: 2}, BatchSize: records},
				Body: []byte(strings.Repeat("1/10/2012,50,9\n", records)),
			}
			header, err := batch.Encode()
			if err != nil {
				b.Fatal(err)
			}
			message := &Message{Subject: "rows.price", Header: header, Data: batch.Body}
			var d Decoder
			b.SetBytes(int64(len(batch.Body)))
			b.ReportAllocs()
			for b.Loop() {
				decoded, err := d.Decode(message)
				if err != nil {
					b.Fatal(err)
				}
				d.Recycle(decoded)
			}
			b.ReportMetric(float64(records)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
