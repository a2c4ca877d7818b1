package oracle

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// dayOf is the day of a row, in UTC.
const dayOf = `("timestamp" AT TIME ZONE 'UTC')::date`

// checkGroups compares the statistics by source and by day with the aggregates
// over the table, as text where the promise is to the last digit.
func checkGroups(ctx context.Context, t testing.TB, conn *pgxpool.Conn) {
	t.Helper()
	for _, group := range []struct{ table, column, of string }{
		{"stats_by_source", "source_id", "source_id"}, {"stats_by_day", "day", dayOf},
	} {
		rows, err := conn.Query(ctx, fmt.Sprintf(`
			WITH direct AS (SELECT %[3]s AS key, count(*) AS rows, count(price) AS count, coalesce(sum(price), 0) AS sum,
			                       coalesce(sum(price * price), 0) AS squares, min(price) AS min, max(price) AS max,
			                       avg(price) AS mean, stddev_samp(price) AS stddev FROM prices GROUP BY key)
			SELECT key::text, figure, kept, found
			  FROM (SELECT *, %[2]s AS key FROM %[1]s WHERE rows > 0) AS s FULL JOIN direct AS t USING (key), LATERAL (VALUES
				('rows', s.rows::text, t.rows::text),
				('count', s.count::text, t.count::text),
				('sum', s.sum::text, t.sum::text),
				('sum_squares', s.sum_squares::text, t.squares::text),
				('mean', CASE WHEN s.count > 0 THEN (s.sum / s.count)::text END, t.mean::text),
				('stddev', stats_stddev_samp(s.count, s.sum, s.sum_squares)::text, t.stddev::text),
				('min', (s.min IS NOT DISTINCT FROM t.min)::text, 'true'),
				('max', (s.max IS NOT DISTINCT FROM t.max)::text, 'true')) AS f (figure, kept, found)
			 WHERE kept IS DISTINCT FROM found LIMIT $1`, group.table, group.column, group.of), shown)
		must(t, err)
		var key, figure string
		var kept, found *string
		_, err = pgx.ForEachRow(rows, []any{&key, &figure, &kept, &found}, func() error {
			t.Errorf("%s of %s: %s is %s, the table's is %s", group.table, key, figure, text(kept), text(found))
			return nil
		})
		must(t, err)
	}
}

// checkBuckets counts the prices of the table in buckets by their written digits,
// and compares with what is kept for all, each source and each day.
func checkBuckets(ctx context.Context, t testing.TB, conn *pgxpool.Conn) {
	t.Helper()
	for _, group := range []struct{ kept, of string }{
		{"SELECT 'all', buckets FROM stats", "'all'"},
		{"SELECT source_id::text, buckets FROM stats_by_source WHERE rows > 0", "source_id::text"},
		{"SELECT day::text, buckets FROM stats_by_day WHERE rows > 0", dayOf + "::text"},
	} {
		kept, found := make(map[string]map[int16]int64), make(map[string]map[int16]int64)
		rows, err := conn.Query(ctx, group.kept)
		must(t, err)
		var key string
		var buckets []byte
		_, err = pgx.ForEachRow(rows, []any{&key, &buckets}, func() error {
			kept[key] = make(map[int16]int64)
			for len(buckets) >= 10 {
				kept[key][int16(binary.BigEndian.Uint16(buckets))] += int64(binary.BigEndian.Uint64(buckets[2:]))
				buckets = buckets[10:]
			}
			return nil
		})
		must(t, err)
		rows, err = conn.Query(ctx, `SELECT `+group.of+` AS key, price::text, count(*) FROM prices GROUP BY key, price, scale(price)`)
		must(t, err)
		var price *string
		var count int64
		_, err = pgx.ForEachRow(rows, []any{&key, &price, &count}, func() error {
			if found[key] == nil {
				found[key] = make(map[int16]int64)
			}
			if price != nil {
				found[key][bucket(*price)] += count
			}
			return nil
		})
		must(t, err)
		if group.of == "'all'" && found["all"] == nil {
			found["all"] = make(map[int16]int64) // no rows, and yet a row of statistics
		}
		wrong := 0
		for _, key := range slices.Sorted(maps.Keys(found)) {
			if !maps.Equal(kept[key], found[key]) && wrong < shown {
				wrong++
				t.Errorf("the buckets of %s are %v, those of the table's prices %v", key, kept[key], found[key])
			}
		}
		if len(kept) > len(found) {
			t.Errorf("buckets of %d, the table has %d: %s", len(kept), len(found), group.kept)
		}
	}
}

// bucket reads the number of a price's bucket off its digits: 175 a decade, the
// least of all prices, 10^-19, is in bucket 1.
func bucket(price string) int16 {
	digits, negative := strings.CutPrefix(price, "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	digits = strings.TrimLeft(whole+fraction+strings.Repeat("0", 19-len(fraction)), "0")
	if digits == "" {
		return 0
	}
	lead, err := strconv.Atoi((digits + "00")[:3])
	if err != nil {
		panic(err)
	}
	place := 0
	for n := 100; n < lead; {
		width := 2
		if n >= 500 {
			width = 10
		} else if n >= 250 {
			width = 5
		}
		if n += width; n <= lead {
			place++
		}
	}
	number := int16((len(digits)-1)*175 + place + 1)
	if negative {
		return -number
	}
	return number
}
