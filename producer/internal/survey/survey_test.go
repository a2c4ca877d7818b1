package survey

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/producer/internal/batch"
	"github.com/streamgauge/streamgauge/producer/internal/columns"
	"github.com/streamgauge/streamgauge/producer/internal/source"
	"github.com/streamgauge/streamgauge/shared/record"
)

const header = "timestamp,price,user_id\n"

func read(t *testing.T, content string, o columns.Options, batchSize int) *Survey {
	t.Helper()
	s, err := Read(t.Context(), strings.NewReader(content), o, batchSize, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// parts collects what a second reading is cut into.
func parts(t *testing.T, s *Survey) []batch.Part {
	t.Helper()
	var all []batch.Part
	err := s.Cut(t.Context(), nil, func(part batch.Part) ([]byte, error) {
		all = append(all, part)
		return nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestWhereDataBegins(t *testing.T) {
	for name, c := range map[string]struct {
		content string
		options columns.Options
		body    string
		line    int64
	}{
		"behind the header":    {header + "a\nb", columns.Options{}, "a\nb", 2},
		"behind a mark":        {"\xef\xbb\xbf" + header + "a", columns.Options{}, "a", 2},
		"behind blank lines":   {"\r\n\n" + header + "\na", columns.Options{}, "a", 5},
		"behind a long header": {"\"timestamp\",\"pri\"\"ce\",\"us\ner\"\na", columns.Options{Map: map[string]string{"price": `pri"ce`, "user_id": "us\ner"}}, "a", 3},
		"CRLF":                 {"timestamp,price,user_id\r\na\r\n", columns.Options{}, "a\r\n", 2},
		"at once":              {"a\nb", columns.Options{NoHeader: true}, "a\nb", 1},
		"at once, marked":      {"\xef\xbb\xbfa", columns.Options{NoHeader: true}, "a", 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := read(t, c.content, c.options, 10)
			want := []batch.Part{{Number: 1, FirstLine: c.line, Records: int(s.Records), Body: []byte(c.body)}}
			if diff := cmp.Diff(want, parts(t, s)); diff != "" {
				t.Errorf("parts (-want +got):\n%s", diff)
			}
			if s.Size != int64(len(c.content)) || s.Digest != sha256.Sum256([]byte(c.content)) {
				t.Errorf("the fingerprint is not the whole file's")
			}
		})
	}
}

func TestNothingToSend(t *testing.T) {
	for name, c := range map[string]struct {
		content string
		options columns.Options
	}{
		"header only":        {header, columns.Options{}},
		"header without end": {strings.TrimSpace(header), columns.Options{}},
		"blank lines behind": {header + "\n\r\n", columns.Options{}},
		"empty, no header":   {"", columns.Options{NoHeader: true}},
		"only a mark":        {"\xef\xbb\xbf", columns.Options{NoHeader: true}},
	} {
		t.Run(name, func(t *testing.T) {
			if s := read(t, c.content, c.options, 10); s.Records != 0 || s.Batches != 0 {
				t.Errorf("%d records, %d batches", s.Records, s.Batches)
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	for name, c := range map[string]struct{ content, want string }{
		"empty":          {"", "not even a header"},
		"blank":          {"\n\n", "not even a header"},
		"open quote":     {"timestamp,\"price\nuser_id", "its header can't be read: a quote opens"},
		"stray quote":    {"timestamp,pri\"ce,user_id\n", "its header can't be read: a quote stands"},
		"too long":       {strings.Repeat("x", record.MaxLength+1), "its header can't be read: record is longer"},
		"no such column": {"a,b,c\n", "it has no columns"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(t.Context(), strings.NewReader(c.content), columns.Options{}, 10, nil)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// rows are n rows that differ, of about 16 bytes each.
func rows(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "1/10/2012,%d,9\n", i)
	}
	return b.String()
}

func TestAdoptCountsForAnotherBatchSize(t *testing.T) {
	s := read(t, header+rows(1000), columns.Options{}, 500)
	for size, batches := range map[int]int64{1: 1000, 300: 4, 500: 2, 1000: 1, 2000: 1} {
		if err := s.Adopt(t.Context(), size); err != nil {
			t.Fatal(err)
		}
		if s.Records != 1000 || s.Batches != batches || s.Plan.BatchSize != size {
			t.Errorf("batch size %d: %d records in %d batches, want %d", size, s.Records, s.Batches, batches)
		}
		if got := parts(t, s); int64(len(got)) != batches {
			t.Errorf("batch size %d: cut into %d batches, counted %d", size, len(got), batches)
		}
	}
}

// A file that changes between the readings gives no batch with a byte that the
// first reading did not see.
func TestChangedFileIsCaught(t *testing.T) {
	content := []byte(header + rows(200_000)) // some blocks of 1 MiB
	for _, at := range []int{30, len(content) / 2, len(content) - 1} {
		changing := bytes.Clone(content)
		s, err := Read(t.Context(), bytes.NewReader(changing), columns.Options{}, 500, nil)
		if err != nil {
			t.Fatal(err)
		}
		before := parts(t, s)
		changing[at] ^= 1
		seen := 0
		err = s.Cut(t.Context(), nil, func(part batch.Part) ([]byte, error) {
			if !bytes.Equal(part.Body, before[seen].Body) {
				t.Fatalf("change at %d: batch %d came out changed", at, part.Number)
			}
			seen++
			return nil, nil
		})
		if !errors.Is(err, source.ErrChanged) {
			t.Errorf("change at %d: error %v after %d batches", at, err, seen)
		}
	}
}

func TestGrownFileIsCaughtAtTheEnd(t *testing.T) {
	file := &growing{[]byte(header + rows(10))}
	s, err := Read(t.Context(), file, columns.Options{}, 5, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Unchanged(); err != nil {
		t.Fatal(err)
	}
	file.content = append(file.content, "x\n"...)
	if got := parts(t, s); len(got) != 2 {
		t.Errorf("%d batches, want those of the first reading", len(got))
	}
	if err := s.Unchanged(); !errors.Is(err, source.ErrChanged) {
		t.Errorf("error %v, want ErrChanged", err)
	}
}

type growing struct{ content []byte }

func (g *growing) ReadAt(p []byte, at int64) (int, error) {
	return bytes.NewReader(g.content).ReadAt(p, at)
}

func TestInterruptedReading(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Read(ctx, strings.NewReader(header+rows(10)), columns.Options{}, 5, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
