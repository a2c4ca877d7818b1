package distribution_test

import (
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/streamgauge/streamgauge/consumer/internal/distribution"
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

// The numbers are what PostgreSQL's stats_bucket gives.
func TestOf(t *testing.T) {
	for text, want := range map[string]distribution.Bucket{
		"0": 0, "0.00": 0, "-0": 0,
		"0.0000000000000000001": 1, "-0.0000000000000000001": -1,
		"-5": -3451, "-0.001": -2801, "0.5": 3276, "9.99": 3500, "10": 3501, "10.00": 3501, "10.19": 3501, "10.2": 3502,
		"54": 3630, "54.99999999999999999": 3630, "55": 3631, "99.99": 3675, "100": 3676, "1e2": 3676, "123456.78": 4212,
		"18446744073709551615": 6693, "18446744073709551616": 6693,
		strings.Repeat("9", 38): 9975, "-" + strings.Repeat("9", 38): -9975, "1" + strings.Repeat("0", 37): 9801,
		"9999999999999999999.9999999999999999999": 6650, "1" + strings.Repeat("0", 19): 6651, "1" + strings.Repeat("0", 20): 6826, "10199999999999999999": 6651, "10200000000000000000": 6652,
	} {
		t.Run(text, func(t *testing.T) {
			d := price(t, text)
			if got := distribution.Of(&d); got != want {
				t.Errorf("got %d, want %d", got, want)
			}
		})
	}
}

func drawPrice(t *rapid.T) record.Decimal {
	d := record.Decimal{Scale: uint8(rapid.IntRange(0, record.MaxScale).Draw(t, "scale"))}
	switch rapid.IntRange(0, 3).Draw(t, "size") {
	case 0:
		d.Lo = rapid.Uint64Range(0, 2000).Draw(t, "small")
	case 1:
		d.Lo = rapid.Uint64().Draw(t, "word")
	case 2: // around powers of ten
		d.Lo = 1
		for range rapid.IntRange(0, 19).Draw(t, "zeros") {
			d.Lo *= 10
		}
		d.Lo += rapid.Uint64Range(0, 2).Draw(t, "more") - 1
	default:
		d.Lo, d.Hi = rapid.Uint64().Draw(t, "low"), rapid.Uint64Range(0, 5421010862427522169).Draw(t, "high") // below 10^38
	}
	d.Negative = (d.Lo != 0 || d.Hi != 0) && rapid.Bool().Draw(t, "negative")
	return d
}

func rational(text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		panic(text)
	}
	return r
}

// A bucket depends on the number and not on how it is written, rises with it,
// and is mirrored at zero.
func TestBucketsAreOrdered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawPrice(t), drawPrice(t)
		x, y := distribution.Of(&a), distribution.Of(&b)
		switch rational(a.String()).Cmp(rational(b.String())) {
		case -1:
			if x > y {
				t.Fatalf("%s in %d, %s in %d", a.String(), x, b.String(), y)
			}
		case 0:
			if x != y {
				t.Fatalf("%s in %d, %s in %d", a.String(), x, b.String(), y)
			}
		}
		if a.Lo != 0 || a.Hi != 0 {
			a.Negative = !a.Negative
			if mirrored := distribution.Of(&a); mirrored != -x {
				t.Fatalf("%d, with the other sign %d", x, mirrored)
			}
		}
		if y > distribution.Most || y < -distribution.Most || (y == 0) != (b.Lo == 0 && b.Hi == 0) {
			t.Fatalf("%s in %d", b.String(), y)
		}
	})
}

// The promise: a quantile is off by at most 1 % of the price at its rank,
// whatever the prices and however they were gathered.
func TestQuantileIsWithinOnePercent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prices := rapid.SliceOfN(rapid.Custom(drawPrice), 1, 120).Draw(t, "prices")
		parts := make([]distribution.Counts, rapid.IntRange(1, 4).Draw(t, "parts"))
		for i := range prices {
			at := rapid.IntRange(0, len(parts)-1).Draw(t, "part")
			one := distribution.Counts(nil).Append(distribution.Cell{Bucket: distribution.Of(&prices[i]), Count: 1})
			parts[at] = distribution.AppendSum(nil, parts[at], one)
		}
		var all distribution.Counts
		for _, part := range parts {
			all = distribution.AppendSum(nil, all, part)
		}
		if err := all.Check(); err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(prices, func(a, b record.Decimal) int { return rational(a.String()).Cmp(rational(b.String())) })
		least, greatest := prices[0].String(), prices[len(prices)-1].String()
		for _, percent := range []int64{1, 50, 95, 99, 100} {
			rank := (percent*int64(len(prices)) + 99) / 100
			want := rational(prices[rank-1].String())
			text := all.Quantile(percent, least, greatest)
			got := rational(text)
			off := new(big.Rat).Sub(got, want)
			bound := new(big.Rat).Quo(want, big.NewRat(100, 1))
			if off.Abs(off).Cmp(bound.Abs(bound)) > 0 {
				t.Fatalf("%d %% of %d prices: %s for %s", percent, len(prices), text, want.FloatString(19))
			}
			if got.Cmp(rational(least)) < 0 || got.Cmp(rational(greatest)) > 0 {
				t.Fatalf("%s is not within %s and %s", text, least, greatest)
			}
			if strings.Contains(text, ".") && strings.HasSuffix(text, "0") {
				t.Fatalf("%s has needless zeros", text)
			}
		}
	})
}

func TestQuantile(t *testing.T) {
	for _, test := range []struct {
		rule    string
		prices  string
		percent int64
		want    string
	}{
		{"nothing", "", 50, ""},
		{"one price is itself", "54.00", 50, "54"},
		{"one of 38 digits", "12345678901234567890123456789012345678", 99, "12345678901234567890123456789012345678"},
		{"the finest price there is", "0.0000000000000000001", 50, "0.0000000000000000001"},
		{"zero", "0.00", 50, "0"},
		{"zero among others", "-5 0 0.0 5", 50, "0"},
		{"the middle of its bucket", "10 54 100", 50, "54.5"},
		{"of a negative one", "-100 -54 -10", 50, "-54.5"},
		{"the rank is rounded up", "10 20 30 40", 50, "20.1"},
		{"not above the greatest", "10 54 100", 99, "100"},
		{"not below the least", "10.19 20 30", 1, "10.19"},
		{"large", "1 223456789012345678901234567890 323456789012345678901234567890", 50, "223000000000000000000000000000"},
		{"small", "0.0000000000000000011 0.0000000000000000021 0.0000000000000000031", 50, "0.00000000000000000211"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			texts := strings.Fields(test.prices)
			var counts distribution.Counts
			for _, text := range texts {
				d := price(t, text)
				counts = distribution.AppendSum(nil, counts, distribution.Counts(nil).Append(distribution.Cell{Bucket: distribution.Of(&d), Count: 1}))
			}
			least, greatest := "", ""
			if len(texts) > 0 {
				least, greatest = texts[0], texts[len(texts)-1]
			}
			if got := counts.Quantile(test.percent, least, greatest); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestQuantileOfManyPrices(t *testing.T) {
	const each = 1 << 61 // so that their percentages overflow
	counts := distribution.Counts(nil).Append(distribution.Cell{Bucket: 3501, Count: each}, distribution.Cell{Bucket: 3631, Count: each}, distribution.Cell{Bucket: 3676, Count: each})
	if err := counts.Check(); err != nil {
		t.Fatal(err)
	}
	if p50, p99 := counts.Quantile(50, "10", "100"), counts.Quantile(99, "10", "100"); p50 != "55.5" || p99 != "100" {
		t.Errorf("got %s and %s", p50, p99)
	}
}

func TestBounds(t *testing.T) {
	for bucket, want := range map[distribution.Bucket][2]float64{
		0: {0, 0}, 3501: {10, 10.2}, 3630: {54, 55}, 3675: {99, 100}, -3630: {-55, -54}, 1: {1e-19, 1.02e-19}, distribution.Most: {9.9e37, 1e38},
	} {
		if low, high := bucket.Bounds(); low != want[0] || high != want[1] {
			t.Errorf("%d is from %v to %v, not %v", bucket, low, high, want)
		}
	}
}

func TestDamagedCounts(t *testing.T) {
	cell := func(b distribution.Bucket, n int64) distribution.Counts {
		return distribution.Counts(nil).Append(distribution.Cell{Bucket: b, Count: n})
	}
	for name, damaged := range map[string]distribution.Counts{
		"cut off":          cell(1, 1)[:9],
		"not in order":     append(cell(2, 1), cell(1, 1)...),
		"twice":            append(cell(2, 1), cell(2, 1)...),
		"of none":          cell(1, 0),
		"negative":         cell(1, -1),
		"no such bucket":   cell(distribution.Most+1, 1),
		"more than a word": append(cell(1, 1<<62), cell(2, 1<<62)...),
	} {
		if err := damaged.Check(); !errors.Is(err, distribution.ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := distribution.Counts(nil).Check(); err != nil {
		t.Error(err)
	}
}

func BenchmarkOf(b *testing.B) {
	for _, text := range []string{"50", "1234.56", "1234567890123456789.0123456789012345678"} {
		b.Run(text, func(b *testing.B) {
			d := price(b, text)
			b.ReportAllocs()
			for b.Loop() {
				if distribution.Of(&d) == 0 {
					b.Fatal("zero")
				}
			}
		})
	}
}
