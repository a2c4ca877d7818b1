package tally_test

import (
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/streamgauge/streamgauge/consumer/internal/tally"
	"github.com/streamgauge/streamgauge/shared/record"
)

func price(t testing.TB, text string) record.Decimal {
	t.Helper()
	d, reason := record.ParseDecimal([]byte(text), false)
	if reason != "" {
		t.Fatalf("%s: %s", text, reason)
	}
	return d
}

func TestSums(t *testing.T) {
	const nines = "99999999999999999999999999999999999999" // 38 of them
	for _, test := range []struct {
		rule   string
		prices []string
		want   tally.Sums
	}{
		{"nothing", nil, tally.Sums{Sum: "0", Squares: "0"}},
		{"only nulls", []string{"", ""}, tally.Sums{Sum: "0", Squares: "0"}},
		{"nulls do not count", []string{"", "5", ""}, tally.Sums{Sum: "5", Squares: "25", Min: "5", Max: "5"}},
		{"integers", []string{"10", "100", "52"}, tally.Sums{Sum: "162", Squares: "12804", Min: "10", Max: "100"}},
		{"the largest scale", []string{"50.00", "1", "0.5"}, tally.Sums{Sum: "51.50", Squares: "2501.2500", Min: "0.5", Max: "50.00"}},
		{"a null has no scale", []string{"", "1"}, tally.Sums{Sum: "1", Squares: "1", Min: "1", Max: "1"}},
		{"zero with a scale", []string{"0.00"}, tally.Sums{Sum: "0.00", Squares: "0.0000", Min: "0.00", Max: "0.00"}},
		{"what cancels keeps its scale", []string{"-1.5", "1.50"}, tally.Sums{Sum: "0.00", Squares: "4.5000", Min: "-1.5", Max: "1.50"}},
		{"negative fractions", []string{"-0.001", "-0.01"}, tally.Sums{Sum: "-0.011", Squares: "0.000101", Min: "-0.01", Max: "-0.001"}},
		{
			"at the end of int64",
			[]string{"9223372036854775807", "-9223372036854775808", "9223372036854775808"},
			tally.Sums{
				Sum: "9223372036854775807", Squares: "255211775190703847579084211500116606977",
				Min: "-9223372036854775808", Max: "9223372036854775808",
			},
		},
		{
			"38 digits",
			[]string{nines, nines, "-" + nines},
			tally.Sums{
				Sum:     nines,
				Squares: "29999999999999999999999999999999999999400000000000000000000000000000000000003",
				Min:     "-" + nines, Max: nines,
			},
		},
		{
			"the finest scale",
			[]string{"0.0000000000000000001", "1"},
			tally.Sums{
				Sum: "1.0000000000000000001", Squares: "1.00000000000000000000000000000000000001",
				Min: "0.0000000000000000001", Max: "1",
			},
		},
	} {
		t.Run(test.rule, func(t *testing.T) {
			var got tally.Tally
			for _, text := range test.prices {
				got.Add(&record.Row{Price: price(t, text)})
			}
			if diff := cmp.Diff(test.want, got.Sums()); diff != "" {
				t.Error("want -, got +", diff)
			}
		})
	}
}

func TestBounds(t *testing.T) {
	var got tally.Tally
	for _, at := range []int64{-5, -9, -7} {
		got.Add(&record.Row{Timestamp: at, Price: record.Decimal{Null: true}})
	}
	if got.Rows != 3 || got.Count != 0 || got.First != -9 || got.Last != -5 {
		t.Errorf("%d rows, %d prices, %d to %d", got.Rows, got.Count, got.First, got.Last)
	}
	var empty tally.Tally
	got.Merge(&empty)
	empty.Merge(&got)
	if empty.Rows != 3 || empty.First != -9 || empty.Last != -5 {
		t.Errorf("merged: %d rows, %d to %d", empty.Rows, empty.First, empty.Last)
	}
}

// Sums do not change the tally: they are asked for again after further rows.
func TestSumsCanBeAskedForTwice(t *testing.T) {
	var got tally.Tally
	for _, text := range []string{"1.25", "12345678901234567890123456789", "3"} {
		got.Add(&record.Row{Price: price(t, text)})
	}
	first := got.Sums()
	if diff := cmp.Diff(first, got.Sums()); diff != "" {
		t.Error("first -, second +", diff)
	}
}

// However rows are spread over tallies and these merged, they add up to what
// math/big says.
func TestAgainstBig(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.Custom(drawRow), 0, 60).Draw(t, "rows")
		parts := make([]tally.Tally, rapid.IntRange(1, 6).Draw(t, "parts"))
		for i := range rows {
			parts[rapid.IntRange(0, len(parts)-1).Draw(t, "part")].Add(&rows[i])
		}
		for len(parts) > 1 {
			into := rapid.IntRange(0, len(parts)-1).Draw(t, "into")
			from := rapid.IntRange(0, len(parts)-1).Filter(func(i int) bool { return i != into }).Draw(t, "from")
			parts[into].Merge(&parts[from])
			parts = slices.Delete(parts, from, from+1)
		}
		checkAgainstBig(t, rows, &parts[0])
	})
}

func drawRow(t *rapid.T) record.Row {
	row := record.Row{
		Timestamp: rapid.Int64().Draw(t, "timestamp"),
		Price:     record.Decimal{Scale: uint8(rapid.IntRange(0, record.MaxScale).Draw(t, "scale"))},
	}
	d := &row.Price
	switch rapid.IntRange(0, 4).Draw(t, "size") {
	case 0:
		*d = record.Decimal{Null: true}
	case 1:
		d.Lo = rapid.Uint64Range(0, 1000).Draw(t, "small")
	case 2:
		d.Lo = rapid.Uint64().Draw(t, "word")
	case 3:
		d.Lo = rapid.Uint64Range(math.MaxInt64-2, math.MaxInt64+2).Draw(t, "border")
	default:
		d.Lo, d.Hi = rapid.Uint64().Draw(t, "low"), rapid.Uint64Range(0, 5421010862427522169).Draw(t, "high") // below 10^38
	}
	d.Negative = (d.Lo != 0 || d.Hi != 0) && rapid.Bool().Draw(t, "negative")
	return row
}

func checkAgainstBig(t *rapid.T, rows []record.Row, got *tally.Tally) {
	sum, squares := new(big.Rat), new(big.Rat)
	var least, greatest *big.Rat
	scale, count := 0, int64(0)
	texts := make(map[string]bool)
	first, last := int64(math.MaxInt64), int64(math.MinInt64)
	for i := range rows {
		first, last = min(first, rows[i].Timestamp), max(last, rows[i].Timestamp)
		d := rows[i].Price
		if d.Null {
			continue
		}
		value, ok := new(big.Rat).SetString(d.String())
		if !ok {
			t.Fatalf("%q is no number", d.String())
		}
		count++
		texts[d.String()] = true
		scale = max(scale, int(d.Scale))
		sum.Add(sum, value)
		squares.Add(squares, new(big.Rat).Mul(value, value))
		if least == nil || value.Cmp(least) < 0 {
			least = value
		}
		if greatest == nil || value.Cmp(greatest) > 0 {
			greatest = value
		}
	}
	if got.Rows != int64(len(rows)) || got.Count != count {
		t.Fatalf("%d rows, %d prices; want %d and %d", got.Rows, got.Count, len(rows), count)
	}
	if len(rows) > 0 && (got.First != first || got.Last != last) {
		t.Fatalf("%d to %d; want %d to %d", got.First, got.Last, first, last)
	}
	sums := got.Sums()
	if want := sum.FloatString(scale); sums.Sum != want {
		t.Fatalf("sum %s, want %s", sums.Sum, want)
	}
	if want := squares.FloatString(2 * scale); sums.Squares != want {
		t.Fatalf("sum of squares %s, want %s", sums.Squares, want)
	}
	for _, bound := range []struct {
		name, text string
		want       *big.Rat
	}{{"min", sums.Min, least}, {"max", sums.Max, greatest}} {
		if bound.want == nil {
			if bound.text != "" {
				t.Fatalf("%s of nothing is %s", bound.name, bound.text)
			}
			continue
		}
		if value, ok := new(big.Rat).SetString(bound.text); !ok || value.Cmp(bound.want) != 0 || !texts[bound.text] {
			t.Fatalf("%s is %q, want %s as one of the rows has it", bound.name, bound.text, bound.want.FloatString(record.MaxScale))
		}
	}
}

func BenchmarkAdd(b *testing.B) {
	for _, test := range []struct{ name, price string }{
		{"integer", "50"}, {"cents", "-50.25"}, {"null", ""}, {"38 digits", "1234567890123456789.0123456789012345678"},
	} {
		b.Run(test.name, func(b *testing.B) {
			row := record.Row{Timestamp: 1, Price: price(b, test.price), UserID: 9}
			var t tally.Tally
			b.ReportAllocs()
			for b.Loop() {
				t.Add(&row)
			}
		})
	}
}
