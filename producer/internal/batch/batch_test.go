package batch

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/streamgauge/streamgauge/shared/record"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// cut is a record as it can be compared: without what depends on the batch it
// stands in.
type cut struct {
	Raw    string
	Line   int64
	Fault  record.Fault
	Length int64
	Digest [32]byte
}

func cutAll(t interface{ Fatal(...any) }, c *record.Cutter) []cut {
	var all []cut
	for {
		rec, err := c.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		one := cut{Raw: string(rec.Raw()), Line: rec.Line, Fault: rec.Fault, Length: rec.Length}
		if rec.Fault == record.TooLong {
			one.Digest = c.Digest()
		}
		all = append(all, one)
	}
}

func groupAll(t interface{ Fatal(...any) }, input string, size int) []Part {
	g := New(record.NewCutter(strings.NewReader(input), ',', 1), size)
	var parts []Part
	for {
		part, err := g.Next(nil)
		if errors.Is(err, io.EOF) {
			return parts
		}
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, part)
	}
}

// Whatever the file and the batch size, the bodies cut again give the file's
// records, each on its line, and every batch keeps the wire's limits.
func TestBodiesGiveTheSameRecords(t *testing.T) {
	piece := rapid.OneOf(
		rapid.SampledFrom([]string{
			"1/10/2012,50,9\n", "\n", "\r\n", "\r", `"`, `""`, ",", "a", "\x00", "\xff", "\n\n\n",
			"x,\"two\nlines\",1\r\n", "\"open\n", " \n",
		}),
		rapid.Custom(func(t *rapid.T) string {
			return strings.Repeat(rapid.SampledFrom([]string{"a", "b,", "\n", "\r\n", "q\"", "\"\"", "z\n"}).Draw(t, "of"),
				rapid.SampledFrom([]int{90, 101, 1000, 40_000, 66_000}).Draw(t, "times"))
		}),
	)
	rapid.Check(t, func(t *rapid.T) {
		input := strings.Join(rapid.SliceOfN(piece, 0, 12).Draw(t, "pieces"), "")
		size := rapid.SampledFrom([]int{1, 2, 3, 7, 500, wire.MaxRecords}).Draw(t, "size")
		var got []cut
		for i, part := range groupAll(t, input, size) {
			switch {
			case part.Number != int64(i+1):
				t.Fatalf("batch %d bears number %d", i+1, part.Number)
			case part.Records < 1 || part.Records > size:
				t.Fatalf("%d records in a batch of %d", part.Records, size)
			case len(part.Body) > wire.MaxBody:
				t.Fatalf("body of %d bytes", len(part.Body))
			}
			if part.Long != nil {
				got = append(got, cut{string(part.Body), part.FirstLine, record.TooLong, part.Long.Length, part.Long.Digest})
				continue
			}
			records := cutAll(t, record.NewBodyCutter(part.Body, ',', part.FirstLine))
			if len(records) != part.Records {
				t.Fatalf("batch %d says %d records, its body has %d", part.Number, part.Records, len(records))
			}
			got = append(got, records...)
		}
		want := cutAll(t, record.NewCutter(strings.NewReader(input), ',', 1))
		// Comparing first: cmp takes its time over 100,000 records.
		if !slices.Equal(want, got) {
			t.Fatalf("records differ (-file +batches):\n%s", cmp.Diff(want, got))
		}
	})
}

func TestWhereABatchEnds(t *testing.T) {
	row := strings.Repeat("x", 1023) + "\n"
	long := strings.Repeat("y", record.MaxLength+1) + "\n"
	for name, c := range map[string]struct {
		input   string
		size    int
		records []int
		lines   []int64
	}{
		"nothing":                   {"", 5, nil, nil},
		"only blank lines":          {"\n\r\n\n", 5, nil, nil},
		"at the batch size":         {"a\nb\nc\n", 2, []int{2, 1}, []int64{1, 3}},
		"at 512 KiB":                {strings.Repeat(row, 513), 1000, []int{512, 1}, []int64{1, 513}},
		"before a long record":      {"a\n" + long + "b\nc\n", 10, []int{1, 1, 2}, []int64{1, 2, 3}},
		"long record alone":         {long + long, 10, []int{1, 1}, []int64{1, 2}},
		"before too many blanks":    {"a\n" + strings.Repeat("\n", wire.MaxBody) + "b\n", 10, []int{1, 1}, []int64{1, wire.MaxBody + 2}},
		"blanks between, last bare": {"\n\na\n\n\nb", 10, []int{2}, []int64{3}},
	} {
		t.Run(name, func(t *testing.T) {
			var records []int
			var lines []int64
			for _, part := range groupAll(t, c.input, c.size) {
				records = append(records, part.Records)
				lines = append(lines, part.FirstLine)
			}
			if diff := cmp.Diff(c.records, records); diff != "" {
				t.Errorf("records of each batch (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.lines, lines); diff != "" {
				t.Errorf("first lines (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBlankLinesKeepTheirPlace(t *testing.T) {
	parts := groupAll(t, "\r\na\r\n\r\n\nb", 10)
	if got, want := string(parts[0].Body), "a\r\n\n\nb"; got != want {
		t.Errorf("body %q, want %q", got, want)
	}
}

func TestErrorOfTheSourceEndsWithoutAHalfBatch(t *testing.T) {
	broken := errors.New("broken")
	input := io.MultiReader(strings.NewReader("a\nb\nc\n"), errorReader{broken})
	g := New(record.NewCutter(input, ',', 1), 2)
	if _, err := g.Next(nil); err != nil {
		t.Fatal(err)
	}
	if part, err := g.Next(nil); !errors.Is(err, broken) {
		t.Errorf("got %+v, %v, want %v", part, err, broken)
	}
}

type errorReader struct{ err error }

func (r errorReader) Read([]byte) (int, error) { return 0, r.err }

func TestGroupingAllocatesNothing(t *testing.T) {
	input := bytes.Repeat([]byte("1/10/2012,50,9\n"), 1000)
	cutter := record.NewBodyCutter(input, ',', 1)
	g := New(cutter, 500)
	buf := make([]byte, 0, wire.MaxBody)
	allocations := testing.AllocsPerRun(10, func() {
		cutter.Reset(input, ',', 1)
		for {
			if _, err := g.Next(buf); err != nil {
				return
			}
		}
	})
	if allocations > 0 {
		t.Errorf("%v allocations for 1,000 records", allocations)
	}
}

func BenchmarkGrouping(b *testing.B) {
	input := bytes.Repeat([]byte("1/10/2012,50,9\n"), 100_000)
	cutter := record.NewBodyCutter(nil, ',', 1)
	buf := make([]byte, 0, wire.MaxBody)
	b.SetBytes(int64(len(input)))
	for b.Loop() {
		cutter.Reset(input, ',', 1)
		g := New(cutter, 500)
		for {
			if _, err := g.Next(buf); err != nil {
				break
			}
		}
	}
	b.ReportMetric(float64(b.N)*100_000/b.Elapsed().Seconds(), "rows/s")
}
