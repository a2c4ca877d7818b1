package wire_test

import (
	"bytes"
	"testing"

	"github.com/streamgauge/streamgauge/shared/wire"
)

func benchBatch() *wire.Batch {
	b := validBatch()
	line := []byte("1/10/2012,50.25,900\n")
	b.Body = bytes.Repeat(line, 10<<10/len(line))
	b.Records, b.Plan.BatchSize = 10<<10/len(line), 1000
	return b
}

func BenchmarkEncode(b *testing.B) {
	batch := benchBatch()
	b.SetBytes(int64(len(batch.Body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := batch.Encode(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	batch := benchBatch()
	h, err := batch.Encode()
	if err != nil {
		b.Fatal(err)
	}
	var d wire.Decoder
	b.SetBytes(int64(len(batch.Body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Decode(h, batch.Body); err != nil {
			b.Fatal(err)
		}
	}
}
