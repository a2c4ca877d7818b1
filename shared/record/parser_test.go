package record

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const jan10 = 1326153600_000000 // 2012-01-10 00:00 UTC

func TestParse(t *testing.T) {
	wide := prices(func(f *Format) { f.Fields, f.Timestamp, f.Price, f.UserID = 5, 3, 0, 4 })
	comma := prices(func(f *Format) { f.Delimiter, f.DecimalComma = ";", true })
	row := func(price Decimal) *Row { return &Row{Line: 1, Timestamp: jan10, Price: price, UserID: 9} }

	for _, test := range []struct {
		name   string
		format Format
		input  string
		want   *Row
		column string
		reason Reason
	}{
		{name: "plain", input: "1/10/2012,50,9\n", want: row(Decimal{Lo: 50})},
		{name: "CRLF", input: "1/10/2012,50,9\r\n", want: row(Decimal{Lo: 50})},
		{name: "no line end", input: "1/10/2012,50,9", want: row(Decimal{Lo: 50})},
		{name: "CR at the end", input: "1/10/2012,50,9\r", want: row(Decimal{Lo: 50})},
		{name: "quoted", input: `"1/10/2012","50","9"`, want: row(Decimal{Lo: 50})},
		{name: "partly quoted", input: `1/10/2012,"50",9`, want: row(Decimal{Lo: 50})},
		{name: "spaces and tabs around", input: "\t1/10/2012 ,  50\t, 9 \n", want: row(Decimal{Lo: 50})},
		{name: "spaces and tabs in quotes", input: "\" 1/10/2012 \",\"\t50\",\"9 \"\n", want: row(Decimal{Lo: 50})},
		{name: "scale is kept", input: "1/10/2012,50.00,9\n", want: row(Decimal{Lo: 5000, Scale: 2})},
		{name: "empty price", input: "1/10/2012,,9\n", want: row(Decimal{Null: true})},
		{name: "empty price in quotes", input: `1/10/2012,"",9`, want: row(Decimal{Null: true})},
		{name: "price of spaces", input: "1/10/2012,  ,9\n", want: row(Decimal{Null: true})},
		{name: "decimal comma", format: comma, input: "1/10/2012;50,0;9\n", want: row(Decimal{Lo: 500, Scale: 1})},
		{name: "decimal comma in quotes", format: prices(func(f *Format) { f.DecimalComma = true }), input: `1/10/2012,"50,0",9`, want: row(Decimal{Lo: 500, Scale: 1})},
		{name: "other columns", format: wide, input: "50,a,b,1/10/2012,9\n", want: row(Decimal{Lo: 50})},
		{name: "other columns are not looked at", format: wide, input: "50,\x00\xff\\.,\"x\"\"\r\n,y\",1/10/2012,9\n", want: row(Decimal{Lo: 50})},
		{name: "tabs between fields", format: prices(func(f *Format) { f.Delimiter = "\t" }), input: "1/10/2012\t50\t9\n", want: row(Decimal{Lo: 50})},

		{name: "fewer fields", input: "1/10/2012,50\n", reason: ReasonFewerFields},
		{name: "fewer fields in quotes", input: `"1/10/2012","50"`, reason: ReasonFewerFields},
		{name: "more fields", input: "1/10/2012,50,9,\n", reason: ReasonMoreFields},
		{name: "more fields in quotes", input: `"1/10/2012","50","9",""`, reason: ReasonMoreFields},
		{name: "a line of spaces", input: " \n", reason: ReasonFewerFields},
		{name: "another delimiter", input: "1/10/2012;50;9\n", reason: ReasonFewerFields},
		{name: "stray quote in another column", format: wide, input: "50,a\"b,c,1/10/2012,9\n", reason: ReasonStrayQuote},
		{name: "text behind a closing quote", input: "1/10/2012,\"50\"x,9\n", reason: ReasonAfterQuote},
		{name: "open quote", input: "1/10/2012,50,\"9\n", reason: ReasonOpenQuote},
		{name: "too long", input: strings.Repeat("1", MaxLength+1), reason: ReasonTooLong},

		{name: "empty timestamp", input: ",50,9\n", column: "timestamp", reason: ReasonTimestampEmpty},
		{name: "timestamp of spaces", input: " ,50,9\n", column: "timestamp", reason: ReasonTimestampEmpty},
		{name: "bad timestamp", input: "yesterday,50,9\n", column: "timestamp", reason: ReasonTimestampSyntax},
		{name: "bad price", input: "1/10/2012,fifty,9\n", column: "price", reason: ReasonPriceSyntax},
		{name: "end of COPY as price", input: "1/10/2012,\\.,9\n", column: "price", reason: ReasonPriceSyntax},
		{name: "doubled quote in a price", input: `1/10/2012,"5""0",9`, column: "price", reason: ReasonPriceSyntax},
		{name: "NaN", input: "1/10/2012,NaN,9\n", column: "price", reason: ReasonPriceSyntax},
		{name: "empty user_id", input: "1/10/2012,50,\n", column: "user_id", reason: ReasonUserIDEmpty},
		{name: "bad user_id", input: "1/10/2012,50,nine\n", column: "user_id", reason: ReasonUserIDSyntax},
		{name: "NUL behind a user_id", input: "1/10/2012,50,9\x00\n", column: "user_id", reason: ReasonUserIDSyntax},
		{name: "CR behind a user_id", input: "1/10/2012,50,9\r\r\n", column: "user_id", reason: ReasonUserIDSyntax},
		{name: "the first wrong column is named", input: "x,y,z\n", column: "timestamp", reason: ReasonTimestampSyntax},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.format == (Format{}) {
				test.format = prices()
			}
			parser, err := NewParser(test.format)
			if err != nil {
				t.Fatal(err)
			}
			rec, err := NewBodyCutter([]byte(test.input), test.format.Comma(), 1).Next()
			if err != nil {
				t.Fatal(err)
			}
			got, reject := parser.Parse(rec)
			if test.want != nil {
				if reject != nil {
					t.Fatalf("rejected: %+v", *reject)
				}
				if diff := cmp.Diff(*test.want, got); diff != "" {
					t.Error(diff)
				}
				return
			}
			if diff := cmp.Diff(&Reject{Line: 1, Column: test.column, Reason: test.reason}, reject); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseKeepsLines(t *testing.T) {
	parser, err := NewParser(prices())
	if err != nil {
		t.Fatal(err)
	}
	cutter := NewBodyCutter([]byte("1/10/2012,50,9\n\nx\n1/10/2012,\"\n50\",9\n1/10/2012,50,9\n"), ',', 100)
	var got []int64
	for {
		rec, err := cutter.Next()
		if err != nil {
			break
		}
		row, reject := parser.Parse(rec)
		if reject != nil {
			got = append(got, -reject.Line)
		} else {
			got = append(got, row.Line)
		}
	}
	// A line end is no space: the third record is a reject.
	if diff := cmp.Diff([]int64{100, -102, -103, 105}, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseAllocatesNothing(t *testing.T) {
	for _, bench := range benchmarkRows {
		t.Run(bench.name, func(t *testing.T) {
			parser, err := NewParser(bench.format)
			if err != nil {
				t.Fatal(err)
			}
			body := []byte(strings.Repeat(bench.row, 50))
			cutter := NewBodyCutter(nil, ',', 1)
			run := func() {
				cutter.Reset(body, bench.format.Comma(), 1)
				for {
					rec, err := cutter.Next()
					if err != nil {
						return
					}
					if _, reject := parser.Parse(rec); reject != nil {
						t.Fatal(*reject)
					}
				}
			}
			if allocs := testing.AllocsPerRun(10, run); allocs > 0 {
				t.Errorf("%v allocations in 50 rows", allocs)
			}
		})
	}
}

// One record with many fields must not make a Parser hold memory for them.
func TestParseManyFields(t *testing.T) {
	parser, err := NewParser(prices())
	if err != nil {
		t.Fatal(err)
	}
	for _, raw := range []string{strings.Repeat(",", MaxLength), `""` + strings.Repeat(",", MaxLength-2)} {
		if _, reject := parser.Parse(Record{Bytes: []byte(raw), Line: 7}); reject == nil || reject.Reason != ReasonMoreFields {
			t.Errorf("reject %+v", reject)
		}
	}
	if n := cap(parser.fields); n > 8 {
		t.Errorf("room for %d fields is kept", n)
	}
}
