package report_test

import (
	"testing"

	"github.com/streamgauge/streamgauge/consumer/internal/report"
	"github.com/streamgauge/streamgauge/shared/stats"
)

func TestBreakdown(t *testing.T) {
	group := func(key, name string, figures ...stats.Number) *stats.Group {
		return &stats.Group{
			Metric: "price", Database: "0b1f", Revision: 7, By: stats.BySource, Key: key, Name: name, Rows: 2_000_000, Count: 1_999_000, Nulls: 1000,
			Sum: "1", Mean: figures[0], StdDev: figures[1], Min: figures[2], P50: figures[3], P95: figures[4], P99: figures[5], Max: figures[6],
		}
	}
	groups := []*stats.Group{
		group("ab12", "2012-1.csv", "57.0068027210884354", "26.8470012345678901", "10", "54.5", "96.5", "100", "100"),
		group("ab13", "sales of the whole year.csv", "-1234567.89", "0.000123456", "-12345678901234567890123456789012345678", "0", "99999.5", "-0.00000000000000000123", "100.00"),
		group("ab14", hostile, "", "", "", "", "", "", ""),
	}
	show := func(p report.Printer) error {
		list := report.Breakdown{Printer: p}
		for _, g := range groups {
			if err := list.Group(g); err != nil {
				return err
			}
		}
		return list.End()
	}
	t.Run("text", func(t *testing.T) {
		got := printed(t, false, show)
		expectNarrow(t, got)
		expect(t, `
source             rows  nulls   mean stddev    min    p50    p95    p99    max
2012-1.csv      2000000   1000 57.007 26.847     10   54.5   96.5    100    100
sales of the whole year.csv
                2000000   1000 -1.2e6 0.0001  -1e37      0    1e5 -1e-18 100.00
`+hostilePrinted+`
                2000000   1000      -      -      -      -      -      -      -
`, got)
	})
	t.Run("JSON", func(t *testing.T) {
		groups = groups[2:]
		groups[0].Min, groups[0].P50 = "10.00", "10.1"
		expect(t, `
{"metric":"price","database":"0b1f","revision":7,"by":"source","key":"ab14","name":"a\u001b[31m\u009b2J\u202eb\nc\u007f.csv","rows":2000000,"count":1999000,"nulls":1000,"sum":1,"mean":null,"min":10.00,"max":null,"stddev":null,"p50":10.1,"p95":null,"p99":null}
`, printed(t, true, show))
	})
	t.Run("nothing", func(t *testing.T) {
		groups = nil
		expect(t, "no rows\n", printed(t, false, show))
		expect(t, "", printed(t, true, show))
	})
}
