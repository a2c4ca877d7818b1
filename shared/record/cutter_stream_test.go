package record

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// What falls on the end of the buffer must be cut as elsewhere.
func TestCutterAtBufferEnd(t *testing.T) {
	row := strings.Repeat("123456789,", 100) + "\n"
	for _, piece := range []string{
		"a\r\nb\n", "\r\n\r\na\n", "a\"\nb\n",
		"\"a\"\"b\"\nc\n", "\"\"\"\n\"\"\"\nc\n", "\"a\r\nb\"\r\nc\n", "a,\"\"\nb\n", "\"a\"b,\"\nc\"\n",
		"\"open\na\nb\n", "a,\"\n" + strings.Repeat("x\r\n", MaxQuotedLines+1),
		"\"open\r\n" + strings.Repeat(strings.Repeat("x", 998)+"\r\n", 70) + "\"\n",
		strings.Repeat("x", MaxLength+10) + "\r\nb\n",
		strings.Repeat("x", 3*MaxLength) + ",\"y\r\n" + strings.Repeat(strings.Repeat("x", 998)+"\r\n", 70) + "\"\n",
	} {
		t.Run(fmt.Sprintf("%.12q", piece), func(t *testing.T) {
			first := min(len(piece), 24) + 12
			for back := range first {
				input := strings.Repeat(row, (bufferSize-back)/len(row)-1)
				input += strings.Repeat("y", bufferSize-back-len(input)-1) + "\n" + piece + row
				want, trailing := collect(t, NewBodyCutter([]byte(input), ',', 1))
				got, gotTrailing := collect(t, NewCutter(strings.NewReader(input), ',', 1))
				if !slices.Equal(want, got) || trailing != gotTrailing {
					t.Fatalf("%d bytes before the buffer's end: %s", back, firstDifference(want, got))
				}
			}
		})
	}
}

func TestCutterReaderErrors(t *testing.T) {
	broken := errors.New("the disk is gone")
	for _, test := range []struct {
		name   string
		reader io.Reader
		want   []string
		err    error
	}{
		{"at once", iotest.ErrReader(broken), nil, broken},
		{"behind whole records", io.MultiReader(strings.NewReader("a\n\"b\n\"\n"), iotest.ErrReader(broken)), []string{"a\n", "\"b\n\"\n"}, broken},
		{"within a record", io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(broken)), []string{"a\n"}, broken},
		{"within quotes", io.MultiReader(strings.NewReader("a\n\"b\nc\n"), iotest.ErrReader(broken)), []string{"a\n"}, broken},
		{"behind a quote that may be doubled", io.MultiReader(strings.NewReader("\"b\""), iotest.ErrReader(broken)), nil, broken},
		{"behind blank lines", io.MultiReader(strings.NewReader("\n\r"), iotest.ErrReader(broken)), nil, broken},
		{"within a long record", io.MultiReader(strings.NewReader("a\n"+strings.Repeat("x", 300_000)), iotest.ErrReader(broken)), []string{"a\n"}, broken},
		{"together with bytes", iotest.DataErrReader(io.MultiReader(strings.NewReader("a\nb\nc"), iotest.ErrReader(broken))), []string{"a\n", "b\n"}, broken},
		{"end of input together with bytes", iotest.DataErrReader(strings.NewReader("a\nb")), []string{"a\n", "b"}, io.EOF},
		{"an unexpected end is not the end", io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(io.ErrUnexpectedEOF)), []string{"a\n"}, io.ErrUnexpectedEOF},
		{"nothing a few times", &chunks{rest: []byte("a\nb"), sizes: append(make([]int, maxEmptyReads-1), 1)}, []string{"a\n", "b"}, io.EOF},
		{"nothing for ever", &chunks{rest: []byte("a\nbc"), sizes: append([]int{3}, make([]int, 1000)...)}, []string{"a\n"}, io.ErrNoProgress},
		{"a negative count", countReader(-1), nil, errReadCount},
		{"a count beyond what was offered", countReader(1 << 30), nil, errReadCount},
	} {
		t.Run(test.name, func(t *testing.T) {
			cutter := NewCutter(test.reader, ',', 1)
			var got []string
			for {
				rec, err := cutter.Next()
				if err != nil {
					if err != test.err { //nolint:errorlint // as it is, not wrapped
						t.Errorf("error %v, not %v", err, test.err)
					}
					break
				}
				got = append(got, string(rec.Bytes))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("records %q, not %q", got, test.want)
			}
			for range 2 {
				if rec, err := cutter.Next(); err != test.err || rec.Bytes != nil { //nolint:errorlint // as above
					t.Errorf("the next call returned %q and %v", rec.Bytes, err)
				}
			}
		})
	}
}

type countReader int

func (n countReader) Read([]byte) (int, error) { return int(n), nil }

// repeated is an input that exists only while it is read: a head, and a piece
// again and again up to size.
type repeated struct {
	head, piece string
	left        int64
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, io.EOF
	}
	n := copy(p, r.head)
	r.head = r.head[n:]
	for n+len(r.piece) <= len(p) && r.left > int64(n) {
		n += copy(p[n:], r.piece)
	}
	r.left -= int64(n)
	return n, nil
}

// Memory must not depend on the input, whatever it holds.
func TestCutterMemory(t *testing.T) {
	const allowed = 512 << 10
	for _, test := range []struct {
		name  string
		input repeated
		check func(records, faults, blank int64, longest int64) bool
	}{
		{
			"256 MiB without a line end",
			repeated{piece: strings.Repeat("x", 4096), left: 256 << 20},
			func(records, faults, _, longest int64) bool { return records == 1 && faults == 1 && longest == 256<<20 },
		},
		{
			"256 MiB in an open quote, one line",
			repeated{head: "a,\"", piece: strings.Repeat("x", 4096), left: 256 << 20},
			func(records, faults, _, longest int64) bool { return records == 1 && faults == 1 && longest >= 256<<20 },
		},
		{
			"256 MiB in an open quote, short lines",
			repeated{head: "a,\"\n", piece: strings.Repeat("1/10/2012,50,9\n", 256), left: 256 << 20},
			func(records, faults, _, longest int64) bool {
				return records > 17_000_000 && faults == 1 && longest == 14
			},
		},
		{
			"64 MiB of blank lines",
			repeated{piece: strings.Repeat("\n\r\n\n", 1024), left: 64 << 20},
			func(records, _, blank, _ int64) bool { return records == 0 && blank == 3*(64<<20)/4 },
		},
		{
			"64 MiB of long records",
			repeated{piece: strings.Repeat("x", 1<<16) + strings.Repeat("x", 1<<16-1) + "\n", left: 64 << 20},
			func(records, faults, _, longest int64) bool {
				return records == 512 && faults == 512 && longest == 1<<17-1
			},
		},
		{
			"64 MiB of quotes",
			repeated{piece: strings.Repeat("\"", 4096), left: 64 << 20},
			func(records, faults, _, longest int64) bool { return records == 1 && faults == 1 && longest == 64<<20 },
		},
		{
			"64 MiB of records that quotes make endless",
			repeated{piece: strings.Repeat("x\",\"y\n", 682), left: 64 << 20},
			func(records, faults, _, longest int64) bool {
				return records == 1 && faults == 1 && longest >= 64<<20-1
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			if testing.Short() && test.input.left > 64<<20 {
				test.input.left = 64 << 20
				test.check = nil
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			cutter := NewCutter(&test.input, ',', 1)
			var records, faults, longest int64
			var last Record
			for {
				rec, err := cutter.Next()
				if err != nil {
					last = rec
					break
				}
				records++
				if rec.Fault != 0 {
					faults++
				}
				longest = max(longest, rec.Length)
			}
			runtime.ReadMemStats(&after)
			// All that was ever allocated, so also the most that was held.
			if used := after.TotalAlloc - before.TotalAlloc; used > allowed {
				t.Errorf("allocated %d bytes", used)
			}
			if test.check != nil && !test.check(records, faults, last.Blank, longest) {
				t.Errorf("%d records, %d of them faulty, the longest of %d bytes, %d blank lines", records, faults, longest, last.Blank)
			}
		})
	}
}
