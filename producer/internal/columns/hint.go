package columns

import (
	"strings"

	"github.com/streamgauge/streamgauge/shared/record"
)

// otherFormats are timestamps that files are often found with and that are not
// read without being asked for. The first that reads a value is hinted at.
var otherFormats = []string{
	"%d/%m/%Y", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S",
	"%d-%m-%Y", "%d-%m-%Y %H:%M", "%d-%m-%Y %H:%M:%S", "%Y/%m/%d", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S", "%d/%m/%y", "%Y%m%d", "%d %b %Y",
}

// Hint returns the option with which a value would have been read that was
// rejected in a column, empty where none is known.
func Hint(format record.Format, column, value string) string {
	switch column {
	case "price":
		if price, reason := record.ParseDecimal([]byte(strings.TrimSpace(value)), !format.DecimalComma); reason == "" && !price.Null {
			if format.DecimalComma {
				return "leaving out --decimal-comma"
			}
			return "--decimal-comma"
		}
	case "timestamp":
		if format.TimestampFormat != "" {
			if readsTimestamp(value, "") {
				return "leaving out --timestamp-format"
			}
		}
		for _, other := range otherFormats {
			if readsTimestamp(value, other) {
				return "--timestamp-format '" + other + "'"
			}
		}
	}
	return ""
}

func readsTimestamp(value, format string) bool {
	parser, err := record.NewParser(record.Format{Delimiter: "|", Fields: 3, Price: 1, UserID: 2, TimestampFormat: format})
	if err != nil || strings.ContainsAny(value, "|\"") {
		return false
	}
	_, reject := parser.Parse(record.Record{Bytes: []byte(value + "||1"), Line: 1})
	return reject == nil
}
