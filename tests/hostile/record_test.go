package hostile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/shared/record"
)

// TestRecords cuts and reads every file of the corpus in this process: as one
// stream, as a stream that gives a byte at a time, and as bodies of few records.
func TestRecords(t *testing.T) {
	t.Parallel()
	for _, f := range readCorpus(t) {
		if f.refused != "" || f.empty {
			continue // a matter of the header, which the producer reads
		}
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			header, format := f.format(t)
			parser, err := record.NewParser(format)
			if err != nil {
				t.Fatal(err)
			}
			content := record.TrimBOM(f.content)
			t.Run("stream", func(t *testing.T) {
				cutter := record.NewCutter(bytes.NewReader(content), format.Comma(), 1)
				f.check(t, parser, cutter, header)
			})
			t.Run("byte by byte", func(t *testing.T) {
				cutter := record.NewCutter(iotest.OneByteReader(bytes.NewReader(content)), format.Comma(), 1)
				f.check(t, parser, cutter, header)
			})
			for _, size := range []int{1, 3} {
				t.Run(fmt.Sprintf("batches of %d", size), func(t *testing.T) {
					f.checkBatches(t, parser, format.Comma(), header, size)
				})
			}
		})
	}
}

// format says how f is read, and whether its first record is a header.
func (f *file) format(t *testing.T) (header bool, format record.Format) {
	t.Helper()
	header = true
	format = record.Format{Delimiter: ",", Price: 1, UserID: 2}
	for i := 0; i < len(f.args); i++ {
		value := func() string { i++; return f.args[i] }
		switch f.args[i] {
		case "--delimiter":
			if format.Delimiter = value(); format.Delimiter == "tab" {
				format.Delimiter = "\t"
			}
		case "--decimal-comma":
			format.DecimalComma = true
		case "--timestamp-format":
			format.TimestampFormat = value()
		case "--timezone":
			format.Timezone = value()
		case "--no-header":
			header = false
		case "--map", "--columns":
			value() // the case says where the columns stand
		default:
			t.Fatalf("unknown argument %q", f.args[i])
		}
	}
	if f.columns != nil {
		format.Fields, format.Timestamp, format.Price, format.UserID = f.columns[0], f.columns[1], f.columns[2], f.columns[3]
		return header, format
	}
	format.Fields = 3
	if header {
		first, err := record.NewBodyCutter(record.TrimBOM(f.content), format.Comma(), 1).Next()
		if err != nil {
			t.Fatal(err)
		}
		names, reason := record.SplitFields(first.Raw(), format.Comma(), nil)
		if reason != "" {
			t.Fatal(reason)
		}
		format.Fields = len(names)
	}
	return header, format
}

// result is what reading gave so far.
type result struct {
	rows    []row
	rejects []reject
}

func (r *result) add(parser *record.Parser, cutter *record.Cutter, rec record.Record) {
	got, bad := parser.Parse(rec)
	if bad == nil {
		price := "NULL"
		if !got.Price.Null {
			price = got.Price.String()
		}
		r.rows = append(r.rows, row{Line: got.Line, Micros: got.Timestamp, Price: price, UserID: got.UserID})
		return
	}
	rejected := reject{Line: bad.Line, Column: bad.Column, Reason: string(bad.Reason), Raw: string(rec.Raw()), Length: rec.Length}
	if rec.Fault == record.TooLong {
		rejected.Digest = fmt.Sprintf("%x", cutter.Digest())
	}
	r.rejects = append(r.rejects, rejected)
}

func (f *file) compare(t *testing.T, got result) {
	t.Helper()
	if diff := cmp.Diff(f.rows, got.rows); diff != "" {
		t.Errorf("rows: want (-), have (+):\n%s", diff)
	}
	compareRejects(t, f.rejects, got.rejects)
}

// compareRejects shows of long rejects where they part.
func compareRejects(t *testing.T, want, got []reject) {
	t.Helper()
	if slices.Equal(want, got) {
		return
	}
	shorten := func(rejects []reject) []reject {
		short := slices.Clone(rejects)
		for i := range short {
			if raw := short[i].Raw; len(raw) > 400 {
				short[i].Raw = fmt.Sprintf("%s… of %d bytes", raw[:100], len(raw))
			}
		}
		return short
	}
	t.Errorf("rejects: want (-), have (+):\n%s", cmp.Diff(shorten(want), shorten(got)))
}

func (f *file) check(t *testing.T, parser *record.Parser, cutter *record.Cutter, header bool) {
	t.Helper()
	var got result
	if header {
		if _, err := cutter.Next(); err != nil {
			t.Fatal(err)
		}
	}
	for {
		rec, err := cutter.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got.add(parser, cutter, rec)
	}
	f.compare(t, got)
}

// checkBatches cuts the file, puts records together into bodies as batches have
// them, and reads those.
func (f *file) checkBatches(t *testing.T, parser *record.Parser, comma byte, header bool, size int) {
	t.Helper()
	cutter := record.NewCutter(bytes.NewReader(record.TrimBOM(f.content)), comma, 1)
	var got result
	var body strings.Builder
	var first int64
	records := 0
	flush := func() {
		inner := record.NewBodyCutter([]byte(body.String()), comma, first)
		for range records {
			rec, err := inner.Next()
			if err != nil {
				t.Fatal(err)
			}
			got.add(parser, inner, rec)
		}
		if _, err := inner.Next(); !errors.Is(err, io.EOF) {
			t.Fatalf("more than %d records in the body, or %v", records, err)
		}
		body.Reset()
		records = 0
	}
	for i := 0; ; i++ {
		rec, err := cutter.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case header && i == 0:
		case rec.Fault == record.TooLong:
			flush()
			got.add(parser, cutter, rec)
		default:
			if records == 0 {
				first = rec.Line
			} else {
				body.WriteString(strings.Repeat("\n", int(rec.Blank)))
			}
			body.Write(rec.Bytes)
			if records++; records == size {
				flush()
			}
		}
	}
	flush()
	f.compare(t, got)
}
