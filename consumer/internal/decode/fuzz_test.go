package decode_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/nats-io/nats.go"

	"github.com/streamgauge/streamgauge/consumer/internal/decode"
	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/consumer/internal/tally"
	"github.com/streamgauge/streamgauge/shared/record"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// FuzzBody decodes batches of any bytes. PostgreSQL's side of the COPY, played
// by pgx's decoders, finds the rows that the records say; rows and rejects are
// the records; and the tally is what naive sums make of those rows.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{
		"1/10/2012,50.00,9\n\n\n1/11/2012,many,4\r\n1/12/2012,,-1\n\"open,1,2\n",
		"2012-01-10T24:00:00.1234567+15:59,-99999999999999999999999999999999999999,-9223372036854775808\r",
		"1/1/0001,1e-19,0\n12/31/9999,1e37,+7\n1/1/2000,-0.000,1\n\"1/1/2012\",\"18446744073709551616\",\"1\"",
		"\\.\n\x00\xff,\x1b[2J,\u202e\n", "a;\"b\n\"\"c\";d\n",
	} {
		f.Add([]byte(seed), false, false)
	}
	f.Add([]byte("1/10/2012;1,5;9\n"), true, true)
	f.Fuzz(func(t *testing.T, body []byte, semicolons, comma bool) {
		format := plan().Format
		if format.DecimalComma = comma; semicolons {
			format.Delimiter = ";"
		}
		rows, rejects := readSlowly(t, body, format)
		if len(rows)+len(rejects) == 0 || len(body) > wire.MaxBody || len(rows)+len(rejects) > plan().BatchSize {
			return
		}
		m := encoded(t, len(rows)+len(rejects), string(body), func(b *wire.Batch) { b.Plan.Format = format })
		var d decode.Decoder
		for range 2 { // the second time with buffers that were used
			got, err := d.Decode(m)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(rows, copied(t, got.Rows)); diff != "" {
				t.Fatal("rows: want -, got +", diff)
			}
			if diff := cmp.Diff(rejects, got.Rejects); diff != "" {
				t.Fatal("rejects: want -, got +", diff)
			}
			checkTally(t, rows, got)
			d.Recycle(got)
		}
	})
}

// readSlowly reads a body's records one by one.
func readSlowly(t *testing.T, body []byte, format record.Format) (rows []tuple, rejects []store.Reject) {
	t.Helper()
	parser, err := record.NewParser(format)
	if err != nil {
		t.Fatal(err)
	}
	cutter := record.NewCutter(bytes.NewReader(body), format.Comma(), 10)
	for {
		rec, err := cutter.Next()
		if errors.Is(err, io.EOF) {
			return rows, rejects
		}
		if err != nil {
			t.Fatal(err)
		}
		row, reject := parser.Parse(rec)
		if reject == nil {
			rows = append(rows, tuple{row.Line, row.Timestamp, row.UserID, row.Price.String(), row.Price.Null})
			continue
		}
		kept := store.Reject{Line: reject.Line, Column: reject.Column, Reason: string(reject.Reason), Raw: bytes.Clone(rec.Raw()), Length: rec.Length}
		if rec.Fault == record.TooLong {
			digest := cutter.Digest()
			kept.Digest = &digest
		}
		rejects = append(rejects, kept)
	}
}

// tuple is a row as it arrives at PostgreSQL.
type tuple struct {
	Line, Timestamp, UserID int64
	Price                   string
	Null                    bool
}

// copied reads rows of a binary COPY.
func copied(t *testing.T, rows []byte) (tuples []tuple) {
	t.Helper()
	take := func(n int) []byte {
		if len(rows) < n {
			t.Fatalf("the rows end %d bytes early", n-len(rows))
		}
		taken := rows[:n]
		rows = rows[n:]
		return taken
	}
	types := pgtype.NewMap()
	for len(rows) > 0 {
		if n := binary.BigEndian.Uint16(take(2)); n != 5 {
			t.Fatalf("a row of %d fields", n)
		}
		var fields [5][]byte
		for i := range fields {
			if n := int32(binary.BigEndian.Uint32(take(4))); n >= 0 {
				fields[i] = take(int(n))
			}
		}
		var row tuple
		var number pgtype.Numeric
		for i, scan := range []struct {
			oid uint32
			to  any
		}{{pgtype.Int8OID, &row.Line}, {pgtype.Int8OID, &row.Timestamp}, {pgtype.Int8OID, &row.UserID}, {pgtype.NumericOID, &number}} {
			if err := types.Scan(scan.oid, pgtype.BinaryFormatCode, fields[i+1], scan.to); err != nil {
				t.Fatal(err)
			}
		}
		row.Timestamp += 946_684_800_000_000 // PostgreSQL counts from 2000
		if row.Null = !number.Valid; number.Valid {
			// pgx drops the display scale, the fourth word.
			row.Price = rational(number).FloatString(int(binary.BigEndian.Uint16(fields[4][6:])))
		}
		tuples = append(tuples, row)
	}
	return tuples
}

func rational(number pgtype.Numeric) *big.Rat {
	r := new(big.Rat).SetInt(number.Int)
	power := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(number.Exp, -number.Exp))), nil))
	if number.Exp < 0 {
		return r.Quo(r, power)
	}
	return r.Mul(r, power)
}

func checkTally(t *testing.T, rows []tuple, got *store.Batch) {
	t.Helper()
	var sum, squares big.Rat
	var least, greatest *big.Rat
	var count, first, last int64
	scale := 0
	for i, row := range rows {
		if i == 0 || row.Timestamp < first {
			first = row.Timestamp
		}
		if i == 0 || row.Timestamp > last {
			last = row.Timestamp
		}
		if row.Null {
			continue
		}
		price, ok := new(big.Rat).SetString(row.Price)
		if !ok {
			t.Fatalf("price %q", row.Price)
		}
		count++
		sum.Add(&sum, price)
		squares.Add(&squares, new(big.Rat).Mul(price, price))
		if least == nil || price.Cmp(least) < 0 {
			least = price
		}
		if greatest == nil || price.Cmp(greatest) > 0 {
			greatest = price
		}
		_, fraction, _ := strings.Cut(row.Price, ".")
		scale = max(scale, len(fraction))
	}
	sheet := &got.Tally
	if sheet.Rows != int64(len(rows)) || sheet.Count != count || len(rows) > 0 && (sheet.First != first || sheet.Last != last) {
		t.Fatalf("%d rows, %d prices, %d to %d; want %d, %d, %d to %d", sheet.Rows, sheet.Count, sheet.First, sheet.Last, len(rows), count, first, last)
	}
	sums := tally.Summarize([]tally.Part{{Sheets: []*tally.Sheet{sheet}}}).Total.Sums
	if want, have := sum.FloatString(scale)+" "+squares.FloatString(2*scale), sums.Sum+" "+sums.Squares; want != have {
		t.Fatalf("sum and squares are %s, want %s", have, want)
	}
	checkBound(t, sums.Min, least)
	checkBound(t, sums.Max, greatest)
}

func checkBound(t *testing.T, text string, want *big.Rat) {
	t.Helper()
	if want == nil && text == "" {
		return
	}
	if have, ok := new(big.Rat).SetString(text); !ok || want == nil || have.Cmp(want) != 0 {
		t.Fatalf("a bound is %q, want %v", text, want)
	}
}

// FuzzMessage decodes messages of any headers and bytes. What is no batch can be
// set aside: in what PostgreSQL's text can hold, with headers that NATS reads
// again as the same, for a reason that holds no byte of the message.
func FuzzMessage(f *testing.F) {
	valid := encoded(f, 1, "1/10/2012,50,9\n", nil)
	f.Add([]byte(fmt.Sprintf("NATS/1.0\r\n%s: 1\r\n\r\n", wire.HeaderVersion)), []byte("x"), "rows.price")
	f.Add([]byte("NATS/1.0\r\nColour: \u009b2J\r\nColour: \x00\xff\r\nstreamgauge-batch: 3\r\n\r\n"), []byte("\x1b[2J"), "rows.\xff\x00")
	f.Add([]byte("NATS/1.0 503\r\nDescription: x\r\n\r\n"), []byte{}, "rows.a")
	var block strings.Builder
	block.WriteString("NATS/1.0\r\n")
	for name, values := range valid.Header {
		fmt.Fprintf(&block, "%s: %s\r\n", name, values[0])
	}
	f.Add([]byte(block.String()+"\r\n"), valid.Data, "rows.price")
	f.Fuzz(func(t *testing.T, block, data []byte, subject string) {
		header, err := nats.DecodeHeadersMsg(block)
		if err != nil {
			return // no client hands it on
		}
		m := &decode.Message{Subject: subject, Header: header, Data: data, Sequence: 7}
		var d decode.Decoder
		batch, err := d.Decode(m)
		if err == nil {
			if batch.Tally.Rows+int64(len(batch.Rejects)) != int64(batch.Records) {
				t.Fatalf("%d rows and %d rejects of %d records", batch.Tally.Rows, len(batch.Rejects), batch.Records)
			}
			return
		}
		if message := err.Error(); strings.ContainsFunc(message, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Fatalf("the reason is %q", message)
		}
		dead := decode.Dead(m, err.Error())
		for _, text := range []string{dead.Subject, dead.Reason, dead.ClaimedSource} {
			if !utf8.ValidString(text) || strings.Contains(text, "\x00") {
				t.Fatalf("%q is no text", text)
			}
		}
		if !bytes.Equal(dead.Payload, data) || dead.ClaimedBatch < 0 {
			t.Fatalf("%+v", dead)
		}
		if len(header) == 0 {
			return
		}
		again, err := nats.DecodeHeadersMsg(dead.Headers)
		if err != nil {
			t.Fatalf("headers %q are kept as %q: %v", block, dead.Headers, err)
		}
		if diff := cmp.Diff(header, again); diff != "" {
			t.Fatal("headers: came -, kept +", diff)
		}
	})
}
