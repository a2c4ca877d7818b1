package pgcopy_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"math"
	"slices"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/streamgauge/streamgauge/consumer/internal/pgcopy"
	"github.com/streamgauge/streamgauge/shared/record"
)

func TestAppendRow(t *testing.T) {
	for _, test := range []struct {
		rule string
		row  record.Row
		want string
	}{
		{
			"null price on the first day of 2000",
			record.Row{Line: 2, Timestamp: 946_684_800_000_000, UserID: 9, Price: record.Decimal{Null: true}},
			"0005" + "0000000400000000" + "000000080000000000000002" + "000000080000000000000000" + "000000080000000000000009" + "ffffffff",
		},
		{
			"50.00 on the first day of 1970",
			record.Row{Line: 1 << 40, UserID: math.MinInt64, Price: record.Decimal{Lo: 5000, Scale: 2}},
			"0005" + "0000000400000000" + "000000080000010000000000" + "00000008fffca2fec4c82000" + "000000088000000000000000" +
				"0000000a" + "00010000000000020032",
		},
	} {
		t.Run(test.rule, func(t *testing.T) {
			got := pgcopy.AppendRow([]byte("kept"), &test.row)
			if diff := cmp.Diff(hex.EncodeToString([]byte("kept"))+test.want, hex.EncodeToString(got)); diff != "" {
				t.Error("want -, got +", diff)
			}
		})
	}
}

func TestSetSourceTouchesOnlyTheIDs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var rows, want []byte
		id := rapid.Int32().Draw(t, "source id")
		for range rapid.IntRange(0, 20).Draw(t, "rows") {
			row := record.Row{
				Line: rapid.Int64().Draw(t, "line"), Timestamp: rapid.Int64().Draw(t, "timestamp"), UserID: rapid.Int64().Draw(t, "user"),
				Price: record.Decimal{Null: true},
			}
			if rapid.Bool().Draw(t, "price") {
				row.Price = drawDecimal(t)
			}
			rows = pgcopy.AppendRow(rows, &row)
			tuple := pgcopy.AppendRow(nil, &row)
			binary.BigEndian.PutUint32(tuple[6:], uint32(id)) // field count, length, id
			want = append(want, tuple...)
		}
		pgcopy.SetSource(rows, id+1)
		pgcopy.SetSource(rows, id) // a transaction that is tried again
		if !bytes.Equal(want, rows) {
			t.Fatalf("want %x\ngot  %x", want, rows)
		}
	})
}

func TestNewReader(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		chunks := rapid.SliceOf(rapid.SliceOfN(rapid.Byte(), 0, 30)).Draw(t, "chunks")
		want := "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00" + string(slices.Concat(chunks...)) + "\xff\xff"
		before := slices.Clone(chunks)
		reader := pgcopy.NewReader(chunks)
		var got []byte
		for {
			room := make([]byte, rapid.IntRange(0, 40).Draw(t, "room"))
			n, err := reader.Read(room)
			got = append(got, room[:n]...)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if n < len(room) && len(got) < len(want) {
				t.Fatalf("%d bytes read into room for %d, with more to come", n, len(room))
			}
		}
		if string(got) != want {
			t.Fatalf("want %x\ngot  %x", want, got)
		}
		// The chunks are read again when the transaction is tried again.
		if diff := cmp.Diff(before, chunks); diff != "" {
			t.Fatal("the chunks changed: ", diff)
		}
	})
	t.Run("as io.Reader wants it", func(t *testing.T) {
		want := []byte("PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00ab\xff\xff")
		if err := iotest.TestReader(pgcopy.NewReader([][]byte{[]byte("a"), nil, []byte("b")}), want); err != nil {
			t.Error(err)
		}
	})
}

func BenchmarkAppendRow(b *testing.B) {
	for _, test := range []struct {
		name  string
		price record.Decimal
	}{
		{"integer", record.Decimal{Lo: 50}},
		{"cents", record.Decimal{Lo: 123456, Scale: 2, Negative: true}},
		{"null", record.Decimal{Null: true}},
		{"38 digits", record.Decimal{Hi: 5421010862427522169, Lo: 7, Scale: 19}},
	} {
		b.Run(test.name, func(b *testing.B) {
			row := record.Row{Line: 7, Timestamp: 1_326_153_600_000_000, UserID: 9, Price: test.price}
			rows := make([]byte, 0, 1<<20)
			b.ReportAllocs()
			for b.Loop() {
				if len(rows) > 1<<20-128 {
					rows = rows[:0]
				}
				rows = pgcopy.AppendRow(rows, &row)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
		})
	}
}
