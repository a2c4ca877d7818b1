package tally_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/streamgauge/streamgauge/consumer/internal/distribution"
	"github.com/streamgauge/streamgauge/consumer/internal/tally"
	"github.com/streamgauge/streamgauge/shared/record"
)

// naive adds rows up one at a time.
func naive(key int32, rows []record.Row) tally.Group {
	group := tally.Group{Key: key, Rows: int64(len(rows))}
	var sums tally.Tally
	for i := range rows {
		sums.Add(&rows[i])
		if rows[i].Price.Null {
			continue
		}
		group.Count++
		one := distribution.Counts(nil).Append(distribution.Cell{Bucket: distribution.Of(&rows[i].Price), Count: 1})
		group.Counts = distribution.AppendSum(nil, group.Counts, one)
	}
	group.Sums = sums.Sums()
	return group
}

func grouped(rows map[int32][]record.Row) []tally.Group {
	var groups []tally.Group
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		groups = append(groups, naive(key, rows[key]))
	}
	return groups
}

// show writes groups for comparing. Of equal prices with different scales, which
// is the least or the greatest is arbitrary.
func show(groups ...tally.Group) []string {
	var lines []string
	for _, g := range groups {
		lines = append(lines, fmt.Sprintf("%d: %d rows, %d prices, sum %s, squares %s, from %s to %s, buckets %x",
			g.Key, g.Rows, g.Count, g.Sum, g.Squares, trimmed(g.Min), trimmed(g.Max), []byte(g.Counts)))
	}
	return lines
}

func trimmed(decimal string) string {
	return distribution.Counts(nil).Append(distribution.Cell{Bucket: distribution.Most, Count: 1}).Quantile(50, decimal, decimal)
}

// Whatever days the rows have and however they are spread over batches and
// sources, they add up to what adding them one by one gives.
func TestSummary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sources := rapid.IntRange(1, 3).Draw(t, "sources")
		span := rapid.SampledFrom([]int64{1, 3, 366, 100_000}).Draw(t, "days")
		ordered := rapid.Bool().Draw(t, "ordered")
		parts := make([]tally.Part, sources)
		bySource, byDay := make(map[int32][]record.Row), make(map[int32][]record.Row)
		var all []record.Row
		for i := range parts {
			parts[i].SourceID = int32(10 * (i + 1))
			for range rapid.IntRange(0, 3).Draw(t, "batches") {
				rows := rapid.SliceOfN(rapid.Custom(drawRow), 0, 20).Draw(t, "rows")
				for j := range rows {
					day := rapid.Int64Range(-span, span).Draw(t, "day")
					rows[j].Timestamp = day*dayLength + rapid.Int64Range(0, dayLength-1).Draw(t, "time")
				}
				if ordered {
					slices.SortFunc(rows, func(a, b record.Row) int { return int(a.Timestamp/dayLength - b.Timestamp/dayLength) })
				}
				sheet := tally.NewSheet(0)
				for j := range rows {
					sheet.Add(&rows[j])
					all = append(all, rows[j])
					bySource[parts[i].SourceID] = append(bySource[parts[i].SourceID], rows[j])
					day := rows[j].Timestamp / dayLength
					if rows[j].Timestamp%dayLength < 0 {
						day--
					}
					byDay[int32(day)] = append(byDay[int32(day)], rows[j])
				}
				parts[i].Sheets = append(parts[i].Sheets, &sheet)
			}
		}
		for range 2 { // a transaction that is tried again asks again
			got := tally.Summarize(parts)
			for _, c := range []struct {
				what      string
				want, got []tally.Group
			}{
				{"in all", []tally.Group{naive(0, all)}, []tally.Group{got.Total}},
				{"by source", grouped(bySource), got.Sources},
				{"by day", grouped(byDay), got.Days},
			} {
				if diff := cmp.Diff(show(c.want...), show(c.got...)); diff != "" {
					t.Fatalf("%s: want -, got + %s", c.what, diff)
				}
			}
			for i := range all {
				if all[i].Timestamp < got.First || all[i].Timestamp > got.Last {
					t.Fatalf("%d is not within %d and %d", all[i].Timestamp, got.First, got.Last)
				}
			}
		}
	})
}

// A sheet that was used before has nothing of it left.
func TestEmptiedSheet(t *testing.T) {
	sheet := tally.NewSheet(1)
	sheet.Add(&record.Row{Timestamp: 5 * dayLength, Price: price(t, "12345678901234567890123")})
	sheet.Add(&record.Row{Timestamp: 7 * dayLength, Price: price(t, "1")})
	used := sheet.Emptied()
	sheet = used
	sheet.Add(&record.Row{Timestamp: -1, Price: price(t, "0.5")})
	got := tally.Summarize([]tally.Part{{SourceID: 3, Sheets: []*tally.Sheet{&sheet}}})
	want := []string{"-1: 1 rows, 1 prices, sum 0.5, squares 0.25, from 0.5 to 0.5, buckets 0ccc0000000000000001"}
	if diff := cmp.Diff(want, show(got.Days...)); diff != "" || got.First != -1 || got.Last != -1 {
		t.Errorf("%d to %d; want -, got + %s", got.First, got.Last, diff)
	}
}
