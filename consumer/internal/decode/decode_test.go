package decode_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"github.com/streamgauge/streamgauge/consumer/internal/decode"
	"github.com/streamgauge/streamgauge/consumer/internal/pgcopy"
	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/consumer/internal/tally"
	"github.com/streamgauge/streamgauge/shared/record"
	"github.com/streamgauge/streamgauge/shared/wire"
)

const source = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"

func plan() wire.Plan {
	return wire.Plan{Format: record.Format{Delimiter: ",", Fields: 3, Price: 1, UserID: 2}, BatchSize: 500}
}

func encoded(t testing.TB, records int, body string, alter func(*wire.Batch)) *decode.Message {
	t.Helper()
	b := &wire.Batch{
		Source: source, Name: "2012-1.csv", Size: 1 << 20, Number: 3, Batches: 7,
		FirstLine: 10, Records: records, Plan: plan(), Body: []byte(body),
	}
	if alter != nil {
		alter(b)
	}
	h, err := b.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return &decode.Message{Subject: "rows.price", Header: h, Data: b.Body, Sequence: 77, Time: time.Unix(9, 0)}
}

func TestDecode(t *testing.T) {
	long := strings.Repeat("x", record.MaxLength+10)
	whole := sha256.Sum256([]byte(long))
	bogota := &record.Format{Delimiter: ";", DecimalComma: true, Fields: 4, Timestamp: 3, Price: 1, UserID: 0, Timezone: "America/Bogota"}
	for _, test := range []struct {
		rule    string
		records int
		body    string
		long    *wire.Long
		plan    *record.Format
		rows    []record.Row
		rejects []store.Reject
	}{
		{
			"rows and rejects, with blank lines between", 4, "1/10/2012,50.00,9\n\n\n1/11/2012,many,4\r\n1/12/2012,,-1\n\"open,1,2\n", nil, nil,
			[]record.Row{
				{Line: 10, Timestamp: 1326153600000000, Price: record.Decimal{Lo: 5000, Scale: 2}, UserID: 9},
				{Line: 14, Timestamp: 1326326400000000, Price: record.Decimal{Null: true}, UserID: -1},
			},
			[]store.Reject{
				{Line: 13, Column: "price", Reason: string(record.ReasonPriceSyntax), Raw: []byte("1/11/2012,many,4"), Length: 16},
				{Line: 15, Reason: string(record.ReasonOpenQuote), Raw: []byte(`"open,1,2`), Length: 9},
			},
		},
		{
			"a record that is too long, as it has to travel", 1, long[:record.MaxLength],
			&wire.Long{Length: int64(len(long)), Digest: whole}, nil, nil,
			[]store.Reject{{
				Line: 10, Reason: string(record.ReasonTooLong), Raw: []byte(long[:record.MaxLength]),
				Length: int64(len(long)), Digest: &whole,
			}},
		},
		{
			"a record that is too long, among others", 2, long + "\n1/10/2012,1,9", nil, nil,
			[]record.Row{{Line: 11, Timestamp: 1326153600000000, Price: record.Decimal{Lo: 1}, UserID: 9}},
			[]store.Reject{{
				Line: 10, Reason: string(record.ReasonTooLong), Raw: []byte(long[:record.MaxLength]),
				Length: int64(len(long)), Digest: &whole,
			}},
		},
		{
			"by its plan", 1, "9;1,5;x;2012-01-10\n", nil, bogota,
			[]record.Row{{Line: 10, Timestamp: 1326171600000000, Price: record.Decimal{Lo: 15, Scale: 1}, UserID: 9}},
			nil,
		},
	} {
		t.Run(test.rule, func(t *testing.T) {
			var d decode.Decoder
			// Another source's message before must leave nothing behind.
			if _, err := d.Decode(encoded(t, 1, "1|2012-01-10|5\n", func(b *wire.Batch) {
				b.Plan.Format = record.Format{Delimiter: "|", Fields: 3, Timestamp: 1, Price: 0, UserID: 2}
			})); err != nil {
				t.Fatal(err)
			}
			m := encoded(t, test.records, test.body, func(b *wire.Batch) {
				if b.Long = test.long; test.plan != nil {
					b.Plan.Format = *test.plan
				}
			})
			got, err := d.Decode(m)
			if err != nil {
				t.Fatal(err)
			}
			var rows []byte
			var sums tally.Sheet
			for i := range test.rows {
				rows = pgcopy.AppendRow(rows, &test.rows[i])
				sums.Add(&test.rows[i])
			}
			if !bytes.Equal(rows, got.Rows) {
				t.Errorf("rows: want %x\ngot %x", rows, got.Rows)
			}
			if diff := cmp.Diff(tallied(&sums), tallied(&got.Tally)); diff != "" {
				t.Error("tally: want -, got +", diff)
			}
			if diff := cmp.Diff(test.rejects, got.Rejects); diff != "" {
				t.Error("rejects: want -, got +", diff)
			}
			expected := plan()
			if test.plan != nil {
				expected.Format = *test.plan
			}
			want := store.Source{Identity: source, Name: "2012-1.csv", Size: 1 << 20, Plan: expected, Batches: 7}
			if diff := cmp.Diff(want, got.Source); diff != "" {
				t.Error("source: want -, got +", diff)
			}
			if got.Number != 3 || got.FirstLine != 10 || got.Records != test.records {
				t.Errorf("got batch %d, line %d, %d records", got.Number, got.FirstLine, got.Records)
			}
		})
	}
}

func tallied(s *tally.Sheet) string {
	return fmt.Sprintf("%d rows, %d prices, %d to %d, %+v", s.Rows, s.Count, s.First, s.Last, tally.Summarize([]tally.Part{{Sheets: []*tally.Sheet{s}}}))
}

func TestDecodeCountsTheRecords(t *testing.T) {
	for body, records := range map[string]int{"1/10/2012,50,9\n": 2, "1/10/2012,50,9\n1/11/2012,50,9\n": 1, "\n\n\n": 1} {
		var d decode.Decoder
		_, err := d.Decode(encoded(t, records, body, nil))
		var broken *wire.BodyError
		if !errors.As(err, &broken) {
			t.Fatalf("%q as %d: got %v", body, records, err)
		}
		want := fmt.Sprintf("%d records, not %d as in Streamgauge-Records", strings.Count(strings.TrimLeft(body, "\n"), "\n"), records)
		if strings.Count(body, "1/") > records {
			want = "more records than the 1 in Streamgauge-Records"
		}
		if broken.Reason != want {
			t.Errorf("got %q, want %q", broken.Reason, want)
		}
	}
}

// What a body takes follows from the records that the header tells, which bound a
// merge, not from what is in it.
func TestDecodeReadsNoMoreThanWasTold(t *testing.T) {
	for name, body := range map[string]string{
		"rows": strings.Repeat("1/10/2012,50,9\n", wire.MaxBody/15), "rejects": strings.Repeat("x\n", wire.MaxBody/2),
		"quoted": strings.Repeat("\"x\"\n", wire.MaxBody/4),
	} {
		t.Run(name, func(t *testing.T) {
			m := encoded(t, 1, body, nil)
			var d decode.Decoder
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := d.Decode(m)
			runtime.ReadMemStats(&after)
			if _, ok := errors.AsType[*wire.BodyError](err); !ok {
				t.Fatalf("got %v", err)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > wire.MaxBody/4 {
				t.Errorf("%d bytes for a batch of one record", took)
			}
		})
	}
}

func TestDecodeFailsAsTheWireDoes(t *testing.T) {
	m := encoded(t, 1, "1/10/2012,50,9\n", nil)
	m.Header[wire.HeaderVersion] = []string{"2"}
	var d decode.Decoder
	_, err := d.Decode(m)
	if _, ok := errors.AsType[*wire.VersionError](err); !ok {
		t.Errorf("got %v", err)
	}
}

func TestDead(t *testing.T) {
	m := encoded(t, 1, "1/10/2012,50,9\n", nil)
	got := decode.Dead(m, "because")
	want := &store.Dead{
		Sequence: 77, Time: time.Unix(9, 0), Subject: "rows.price", Payload: m.Data, Reason: "because",
		Headers: got.Headers, ClaimedSource: source, ClaimedBatch: 3,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("want -, got +", diff)
	}
	// What is kept is what NATS can read again, to be replayed.
	again, err := nats.DecodeHeadersMsg(got.Headers)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m.Header, again); diff != "" {
		t.Error("headers: want -, got +", diff)
	}

	t.Run("nothing to go by", func(t *testing.T) {
		got := decode.Dead(&decode.Message{Subject: "rows.\xff\x00", Sequence: 1}, "r\x00\xff")
		want := &store.Dead{Sequence: 1, Subject: "rows.\ufffd\ufffd", Reason: "r\ufffd\ufffd"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error("want -, got +", diff)
		}
	})
	t.Run("headers that can't be read", func(t *testing.T) {
		got := decode.Dead(&decode.Message{RawHeader: []byte("NATS/1.0\r\nno colon"), Data: []byte("x")}, "")
		if diff := cmp.Diff("NATS/1.0\r\nno colon", string(got.Headers)); diff != "" {
			t.Error("want -, got +", diff)
		}
	})
	t.Run("headers in order, each value", func(t *testing.T) {
		got := decode.Dead(&decode.Message{Header: nats.Header{"B": {"2", "1"}, "A": {""}}}, "")
		if diff := cmp.Diff("NATS/1.0\r\nA: \r\nB: 2\r\nB: 1\r\n\r\n", string(got.Headers)); diff != "" {
			t.Error("want -, got +", diff)
		}
	})
}

// FuzzDecode takes a body that its headers describe rightly: whatever it holds,
// each of its records becomes a row or a reject, on a line of its own.
func FuzzDecode(f *testing.F) {
	for _, body := range []string{
		"1/10/2012,50,9\n", "1/10/2012,,9", "a,b\r\n\r\n\"c\nd\",1,2\n", "\"open\n1/1/2012,1,1\n", "\\.\n\x00,\xff\n", "1/1/2012,1e3,1\n\n\n2,3\n",
	} {
		f.Add([]byte(body), int64(2))
	}
	f.Fuzz(func(t *testing.T, body []byte, firstLine int64) {
		if len(body) == 0 || len(body) > wire.MaxBody || firstLine < 1 || firstLine > wire.MaxInteger {
			return
		}
		records := 0
		cutter := record.NewBodyCutter(body, ',', firstLine)
		for {
			if _, err := cutter.Next(); err != nil {
				break
			}
			records++
		}
		if records == 0 || records > plan().BatchSize {
			return
		}
		m := encoded(t, records, string(body), func(b *wire.Batch) { b.FirstLine = firstLine })
		var d decode.Decoder
		got, err := d.Decode(m)
		if err != nil {
			t.Fatal(err)
		}
		if n := got.Tally.Rows + int64(len(got.Rejects)); n != int64(records) {
			t.Fatalf("%d of %d records", n, records)
		}
		pgcopy.SetSource(got.Rows, 1) // which panics on anything but whole tuples
		last := firstLine - 1
		for _, r := range got.Rejects {
			if r.Line <= last || (r.Digest != nil) != (r.Length > int64(len(r.Raw))) || r.Reason == "" {
				t.Fatalf("a reject after line %d: %+v", last, r)
			}
			last = r.Line
		}
	})
}

// Many small headers take many times the memory that they have on the wire; the
// size has to tell of them.
func TestSizeCountsWhatHeadersCost(t *testing.T) {
	header := nats.Header{}
	wireBytes := 0
	for i := range 5000 {
		name := fmt.Sprintf("H%d", i)
		header[name] = []string{"v"}
		wireBytes += len(name) + 5
	}
	m := &decode.Message{Subject: "rows.price", Header: header}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.GC() // What pools hold goes with the second.
	runtime.ReadMemStats(&before)
	kept := maps.Clone(header)
	for name, values := range kept {
		kept[name] = slices.Clone(values)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(kept)
	takes := int(after.HeapAlloc) - int(before.HeapAlloc)
	if size := m.Size(); size < takes || size < 5*wireBytes || size > 4*takes {
		t.Errorf("%d bytes of headers count %d, their values take %d in memory", wireBytes, size, takes)
	}
	plain := &decode.Message{Subject: "rows.price", Data: make([]byte, 100_000)}
	if size := plain.Size(); size < 100_000 || size > 102_000 {
		t.Errorf("100,000 bytes count %d", size)
	}
}
