package record

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

// benchmarkRows are bodies the size of a batch, 500 records, with the format
// they are read by.
var benchmarkRows = []struct {
	name   string
	row    string
	format Format
}{
	{"plain", "1/10/2012,50,9\n", prices()},
	{"iso-decimals", "2012-01-10T13:45:56.789012Z,1234.5678,1234567\n", prices()},
	{"quoted", "\"1/10/2012\",\"50\",\"9\"\n", prices()},
	{"crlf", "1/10/2012,50,9\r\n", prices()},
	{"empty-price", "1/10/2012,,9\n", prices()},
	{"bogota", "1/10/2012,50,9\n", prices(func(f *Format) { f.Timezone = "America/Bogota" })},
	{"new-york", "7/10/2012 13:45,50,9\n", prices(func(f *Format) { f.Timezone = "America/New_York" })},
	{"strptime", "10/01/2012 13:45,50,9\n", prices(func(f *Format) { f.TimestampFormat = "%d/%m/%Y %H:%M" })},
	{"doubled-quotes", "1/10/2012,50,9,\"5\"\" pipe\"\n", prices(func(f *Format) { f.Fields = 4 })},
}

// prices is the format of a source with the columns timestamp, price, user_id.
func prices(changes ...func(*Format)) Format {
	f := Format{Delimiter: ",", Fields: 3, Timestamp: 0, Price: 1, UserID: 2}
	for _, change := range changes {
		change(&f)
	}
	return f
}

func BenchmarkCut(b *testing.B) {
	for _, bench := range benchmarkRows {
		b.Run(bench.name, func(b *testing.B) {
			body := []byte(strings.Repeat(bench.row, 500))
			cutter := NewBodyCutter(nil, bench.format.Comma(), 1)
			measureRows(b, body, func() {
				cutter.Reset(body, bench.format.Comma(), 1)
				for {
					if _, err := cutter.Next(); err != nil {
						return
					}
				}
			})
		})
	}
}

func BenchmarkCutStream(b *testing.B) {
	for _, bench := range benchmarkRows {
		b.Run(bench.name, func(b *testing.B) {
			input := []byte(strings.Repeat(bench.row, 500_000))
			b.ReportAllocs()
			b.SetBytes(int64(len(input)))
			rows := 0
			for b.Loop() {
				cutter := NewCutter(bytes.NewReader(input), bench.format.Comma(), 1)
				for {
					if _, err := cutter.Next(); err != nil {
						break
					}
					rows++
				}
			}
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func BenchmarkCutAndParse(b *testing.B) {
	for _, bench := range benchmarkRows {
		b.Run(bench.name, func(b *testing.B) {
			body := []byte(strings.Repeat(bench.row, 500))
			parser, err := NewParser(bench.format)
			if err != nil {
				b.Fatal(err)
			}
			cutter := NewBodyCutter(nil, bench.format.Comma(), 1)
			measureRows(b, body, func() {
				cutter.Reset(body, bench.format.Comma(), 1)
				for {
					rec, err := cutter.Next()
					if errors.Is(err, io.EOF) {
						return
					}
					if _, reject := parser.Parse(rec); reject != nil {
						b.Fatal(*reject)
					}
				}
			})
		})
	}
}

// BenchmarkCutOpenQuotes cuts what makes the Cutter read the most twice: a quote
// that is given up at its limit, again and again.
func BenchmarkCutOpenQuotes(b *testing.B) {
	for _, bench := range []struct{ name, block string }{
		{"lines", "\"\n" + strings.Repeat("x\n", MaxQuotedLines)},
		{"bytes", "\"\n" + strings.Repeat(strings.Repeat("x", 999)+"\n", MaxQuotedBytes/1000+1)},
		{"doubled", "\"\n" + strings.Repeat(strings.Repeat(`""`, 499)+"\n", MaxQuotedBytes/1000+1)},
	} {
		b.Run(bench.name, func(b *testing.B) {
			input := []byte(strings.Repeat(bench.block, 16<<20/len(bench.block)))
			b.SetBytes(int64(len(input)))
			for b.Loop() {
				cutter := NewCutter(bytes.NewReader(input), ',', 1)
				for {
					if _, err := cutter.Next(); err != nil {
						break
					}
				}
			}
		})
	}
}

func measureRows(b *testing.B, body []byte, run func()) {
	b.Helper()
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	n := 0
	for b.Loop() {
		run()
		n++
	}
	rows := float64(n * bytes.Count(body, []byte("\n")))
	b.ReportMetric(rows/b.Elapsed().Seconds(), "rows/s")
}
