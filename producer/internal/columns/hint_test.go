package columns_test

import (
	"testing"

	"github.com/streamgauge/streamgauge/producer/internal/columns"
	"github.com/streamgauge/streamgauge/shared/record"
)

func TestHint(t *testing.T) {
	plain, comma, format := record.Format{}, record.Format{DecimalComma: true}, record.Format{TimestampFormat: "%Y"}
	for _, c := range []struct {
		format        record.Format
		column, value string
		want          string
	}{
		{plain, "price", "1,5", "--decimal-comma"},
		{comma, "price", "1.5", "leaving out --decimal-comma"},
		{plain, "price", "fifty", ""},
		{plain, "price", "1.234,5", ""},
		{plain, "timestamp", "31/1/2012", "--timestamp-format '%d/%m/%Y'"},
		{plain, "timestamp", "31/01/2012 10:00", "--timestamp-format '%d/%m/%Y %H:%M'"},
		{plain, "timestamp", "10.01.2012", "--timestamp-format '%d.%m.%Y'"},
		{plain, "timestamp", "2012/01/10", "--timestamp-format '%Y/%m/%d'"},
		{plain, "timestamp", "20120110", "--timestamp-format '%Y%m%d'"},
		{plain, "timestamp", "30/2/2012", ""},
		{plain, "timestamp", "yesterday", ""},
		{plain, "timestamp", "1/10/2012|", ""},
		{plain, "timestamp", "\"1/10/2012", ""},
		{format, "timestamp", "1/10/2012", "leaving out --timestamp-format"},
		{plain, "user_id", "1,5", ""},
		{plain, "", "1,5", ""},
	} {
		if got := columns.Hint(c.format, c.column, c.value); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.column, c.value, got, c.want)
		}
	}
}
