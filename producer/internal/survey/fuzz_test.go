package survey

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/producer/internal/columns"
	"github.com/streamgauge/streamgauge/shared/record"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// seen is a record as the one who reads the batches sees it.
type seen struct {
	Line int64
	Text string
	Long bool
}

// FuzzSurvey reads any bytes as a file. The header is what encoding/csv reads
// where it reads it; the batches, cut again one by one, hold the records that
// the file has, on their lines.
func FuzzSurvey(f *testing.F) {
	for _, seed := range []string{
		header + "1/10/2012,50,9\n\n\"1/11/2012\",\"5\n0\",9\r\n", "\xef\xbb\xbf" + header + "\"open,1,2\nx", "\n\r\n \"user_id\" ,Price,\"TIME\"\"STAMP\"\n",
		"price,timestamp,user_id,price\n", "timestamp;price;user_id\n1;2;3\n", "a,\"b\nc", "", "\xff\xfet\x00", header, "timestamp,price,user_id\r1,2,3\r",
		"\"timestamp\",\"price\",\"user_id\",\"two\nlines\"\n,,,\n",
	} {
		f.Add([]byte(seed), uint8(1), false, uint32(0))
		f.Add([]byte(seed), uint8(3), true, uint32(70_000))
	}
	f.Fuzz(func(t *testing.T, content []byte, size uint8, noHeader bool, stretch uint32) {
		if i := bytes.LastIndexByte(content, 'x'); i >= 0 {
			content = slices.Concat(content[:i], bytes.Repeat([]byte("x"), int(stretch%(3*record.MaxLength))), content[i:])
		}
		options := columns.Options{NoHeader: noHeader}
		batchSize := int(size)%7 + 1
		s, err := Read(t.Context(), bytes.NewReader(content), options, batchSize, nil)
		if !noHeader {
			checkHeader(t, content, s, err)
		}
		if err != nil {
			return
		}
		var records, again []seen
		cutter := record.NewBodyCutter(record.TrimBOM(content), ',', 1)
		records = append(records, cutAll(t, cutter)...)
		if !noHeader {
			records = records[1:]
		}
		all := parts(t, s)
		for i, part := range all {
			if part.Number != int64(i)+1 || part.Records < 1 || part.Records > batchSize || len(part.Body) > wire.MaxBody {
				t.Fatalf("part %d is number %d of %d records, %d bytes", i+1, part.Number, part.Records, len(part.Body))
			}
			if part.Long != nil {
				again = append(again, seen{part.FirstLine, string(part.Body), true})
				continue
			}
			of := cutAll(t, record.NewBodyCutter(part.Body, ',', part.FirstLine))
			if len(of) != part.Records {
				t.Fatalf("part %d says %d records, and has %d", i+1, part.Records, len(of))
			}
			again = append(again, of...)
		}
		if !slices.Equal(records, again) {
			t.Fatal("records of the file -, of its batches +", cmp.Diff(records, again))
		}
		if s.Records != int64(len(records)) || s.Batches != int64(len(all)) || s.Size != int64(len(content)) {
			t.Fatalf("%d records, %d batches, %d bytes; want %d, %d, %d", s.Records, s.Batches, s.Size, len(records), len(all), len(content))
		}
	})
}

func cutAll(t *testing.T, cutter *record.Cutter) (all []seen) {
	t.Helper()
	for {
		rec, err := cutter.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, seen{rec.Line, string(rec.Bytes), rec.Fault == record.TooLong})
	}
}

// checkHeader looks for the columns in what encoding/csv reads.
func checkHeader(t *testing.T, content []byte, s *Survey, err error) {
	t.Helper()
	reader := csv.NewReader(bytes.NewReader(record.TrimBOM(content)))
	names, csvErr := reader.Read()
	if errors.Is(csvErr, io.EOF) {
		if _, empty := errors.AsType[*EmptyError](err); !empty {
			t.Fatalf("%q has no header: %v", content, err)
		}
		return
	}
	if _, ours := errors.AsType[*HeaderError](err); ours != (csvErr != nil) {
		// Limits are ours alone.
		if csvErr != nil || len(content) < record.MaxLength && bytes.Count(content, []byte("\n")) < record.MaxQuotedLines {
			t.Fatalf("%.200q: encoding/csv says %v, we say %v", content, csvErr, err)
		}
		return
	}
	if csvErr != nil {
		return
	}
	places := make(map[string][]int)
	for i, name := range names {
		for _, wanted := range columns.Required {
			if strings.EqualFold(strings.TrimSpace(name), wanted) {
				places[wanted] = append(places[wanted], i)
			}
		}
	}
	found := len(places["timestamp"]) == 1 && len(places["price"]) == 1 && len(places["user_id"]) == 1
	if found != (err == nil) {
		t.Fatalf("%q: columns at %v, and the error is %v", names, places, err)
	}
	if err != nil {
		return
	}
	want := record.Format{Delimiter: ",", Fields: len(names), Timestamp: places["timestamp"][0], Price: places["price"][0], UserID: places["user_id"][0]}
	if s.Plan.Format != want {
		t.Fatalf("%q is read by %+v, want %+v", names, s.Plan.Format, want)
	}
}
