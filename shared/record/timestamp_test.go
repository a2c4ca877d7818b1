package record

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestBuiltInTimestamps(t *testing.T) {
	for _, test := range []struct {
		name   string
		input  string
		want   string // RFC 3339
		reason Reason
	}{
		{name: "month first", input: "1/10/2012", want: "2012-01-10T00:00:00Z"},
		{name: "two digits each", input: "01/02/2012", want: "2012-01-02T00:00:00Z"},
		{name: "last day", input: "12/31/2012", want: "2012-12-31T00:00:00Z"},
		{name: "slashes with a time", input: "1/10/2012 13:45", want: "2012-01-10T13:45:00Z"},
		{name: "slashes with an hour of one digit", input: "1/10/2012 9:05:06", want: "2012-01-10T09:05:06Z"},
		{name: "slashes with everything", input: "1/10/2012T09:05:06.5-05:00", want: "2012-01-10T14:05:06.5Z"},
		{name: "ISO date", input: "2012-01-10", want: "2012-01-10T00:00:00Z"},
		{name: "ISO minutes", input: "2012-01-10T13:45", want: "2012-01-10T13:45:00Z"},
		{name: "ISO seconds", input: "2012-01-10T13:45:56", want: "2012-01-10T13:45:56Z"},
		{name: "a space for the T", input: "2012-01-10 13:45:56", want: "2012-01-10T13:45:56Z"},
		{name: "small letters", input: "2012-01-10t13:45:56z", want: "2012-01-10T13:45:56Z"},
		{name: "fraction of one digit", input: "2012-01-10T13:45:56.7", want: "2012-01-10T13:45:56.7Z"},
		{name: "fraction of six digits", input: "2012-01-10T13:45:56.789012", want: "2012-01-10T13:45:56.789012Z"},
		{name: "fraction of nine digits", input: "2012-01-10T13:45:56.789012345", want: "2012-01-10T13:45:56.789012Z"},
		{name: "rounds up", input: "2012-01-10T13:45:56.7890126", want: "2012-01-10T13:45:56.789013Z"},
		{name: "a half rounds to even, down", input: "2012-01-10T13:45:56.0000005", want: "2012-01-10T13:45:56Z"},
		{name: "a half rounds to even, up", input: "2012-01-10T13:45:56.0000015", want: "2012-01-10T13:45:56.000002Z"},
		{name: "rounds into the next year", input: "2012-12-31T23:59:59.9999999", want: "2013-01-01T00:00:00Z"},
		{name: "a long fraction", input: "2012-01-10T13:45:56." + strings.Repeat("1", 300), want: "2012-01-10T13:45:56.111111Z"},
		{name: "second 60", input: "2012-06-30T23:59:60Z", want: "2012-07-01T00:00:00Z"},
		{name: "24 o'clock", input: "2012-01-10T24:00:00", want: "2012-01-11T00:00:00Z"},
		{name: "zone Z", input: "2012-01-10T13:45Z", want: "2012-01-10T13:45:00Z"},
		{name: "zone of hours", input: "2012-01-10T13:45+02", want: "2012-01-10T11:45:00Z"},
		{name: "zone of four digits", input: "2012-01-10T13:45:56-0330", want: "2012-01-10T17:15:56Z"},
		{name: "zone with a colon", input: "2012-01-10T13:45:56.5+05:45", want: "2012-01-10T08:00:56.5Z"},
		{name: "greatest zone", input: "2012-01-10T13:45+15:59", want: "2012-01-09T21:46:00Z"},
		{name: "zone into another year", input: "2012-12-31T22:00-05", want: "2013-01-01T03:00:00Z"},
		{name: "leap day", input: "2/29/2012", want: "2012-02-29T00:00:00Z"},
		{name: "leap day of a century", input: "2000-02-29", want: "2000-02-29T00:00:00Z"},
		{name: "first day", input: "0001-01-01", want: "0001-01-01T00:00:00Z"},
		{name: "last microsecond", input: "9999-12-31T23:59:59.999999", want: "9999-12-31T23:59:59.999999Z"},
		{name: "before 1970", input: "1969-12-31T23:59:59.25", want: "1969-12-31T23:59:59.25Z"},

		{name: "empty", input: "", reason: ReasonTimestampEmpty},
		{name: "day first", input: "31/12/2012", reason: ReasonTimestampDate},
		{name: "month 0", input: "0/10/2012", reason: ReasonTimestampDate},
		{name: "month 13", input: "2012-13-01", reason: ReasonTimestampDate},
		{name: "day 0", input: "2012-01-00", reason: ReasonTimestampDate},
		{name: "day 32", input: "1/32/2012", reason: ReasonTimestampDate},
		{name: "31 April", input: "4/31/2012", reason: ReasonTimestampDate},
		{name: "30 February", input: "2/30/2012", reason: ReasonTimestampDate},
		{name: "29 February of a common year", input: "2/29/2013", reason: ReasonTimestampDate},
		{name: "29 February of a common century", input: "2/29/1900", reason: ReasonTimestampDate},
		{name: "year 0", input: "0000-01-01", reason: ReasonTimestampDate},
		{name: "hour 25", input: "2012-01-10T25:00", reason: ReasonTimestampTime},
		{name: "past 24 o'clock", input: "2012-01-10T24:00:00.1", reason: ReasonTimestampTime},
		{name: "minute 60", input: "2012-01-10T13:60", reason: ReasonTimestampTime},
		{name: "second 61", input: "2012-01-10T13:45:61", reason: ReasonTimestampTime},
		{name: "zone too far", input: "2012-01-10T13:45+16", reason: ReasonTimestampZone},
		{name: "zone of 60 minutes", input: "2012-01-10T13:45+05:60", reason: ReasonTimestampZone},
		{name: "year of two digits", input: "1/10/12", reason: ReasonTimestampSyntax},
		{name: "year of five digits", input: "1/10/20120", reason: ReasonTimestampSyntax},
		{name: "three digits", input: "001/10/2012", reason: ReasonTimestampSyntax},
		{name: "no day", input: "1//2012", reason: ReasonTimestampSyntax},
		{name: "sign", input: "-1/10/2012", reason: ReasonTimestampSyntax},
		{name: "dots", input: "10.01.2012", reason: ReasonTimestampSyntax},
		{name: "ISO with one digit", input: "2012-1-10", reason: ReasonTimestampSyntax},
		{name: "ISO without hyphens", input: "20120110", reason: ReasonTimestampSyntax},
		{name: "a letter among digits", input: "2012-0l-10", reason: ReasonTimestampSyntax},
		{name: "text behind", input: "1/10/2012x", reason: ReasonTimestampSyntax},
		{name: "two spaces", input: "2012-01-10  13:45", reason: ReasonTimestampSyntax},
		{name: "nothing behind the T", input: "2012-01-10T", reason: ReasonTimestampSyntax},
		{name: "an hour alone", input: "2012-01-10T13", reason: ReasonTimestampSyntax},
		{name: "ISO with an hour of one digit", input: "2012-01-10T9:45", reason: ReasonTimestampSyntax},
		{name: "minute of one digit", input: "2012-01-10T13:5", reason: ReasonTimestampSyntax},
		{name: "colon at the end", input: "2012-01-10T13:45:", reason: ReasonTimestampSyntax},
		{name: "point without digits", input: "2012-01-10T13:45:56.", reason: ReasonTimestampSyntax},
		{name: "comma for the point", input: "2012-01-10T13:45:56,5", reason: ReasonTimestampSyntax},
		{name: "fraction of a minute", input: "2012-01-10T13:45.5", reason: ReasonTimestampSyntax},
		{name: "zone without a time", input: "2012-01-10Z", reason: ReasonTimestampSyntax},
		{name: "zone of one digit", input: "2012-01-10T13:45+5", reason: ReasonTimestampSyntax},
		{name: "zone of three digits", input: "2012-01-10T13:45+530", reason: ReasonTimestampSyntax},
		{name: "zone with seconds", input: "2012-01-10T13:45+05:30:00", reason: ReasonTimestampSyntax},
		{name: "zone by name", input: "2012-01-10T13:45 UTC", reason: ReasonTimestampSyntax},
		{name: "text behind Z", input: "2012-01-10T13:45Zx", reason: ReasonTimestampSyntax},
		{name: "NUL behind", input: "2012-01-10\x00", reason: ReasonTimestampSyntax},
		{name: "infinity", input: "infinity", reason: ReasonTimestampSyntax},
		{name: "now", input: "now", reason: ReasonTimestampSyntax},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, reason := new(Parser).parseTimestamp([]byte(test.input))
			if reason != test.reason {
				t.Fatalf("%q: reason %q, not %q", test.input, reason, test.reason)
			}
			if reason == "" && !time.UnixMicro(got).Equal(mustTime(t, test.want)) {
				t.Errorf("%q gives %s, not %s", test.input, time.UnixMicro(got).UTC().Format(time.RFC3339Nano), test.want)
			}
		})
	}
}

// Every prefix of a good timestamp is good or refused, never read beyond its end.
func TestBuiltInTimestampPrefixes(t *testing.T) {
	for _, whole := range []string{"12/31/2012 23:59:59.123456+05:30", "2012-12-31T23:59:59.123456789-0530"} {
		for n := range len(whole) {
			text := []byte(whole)[:n:n]
			if _, reason := new(Parser).parseTimestamp(text); reason == "" && n < len("12/31/2012") {
				t.Errorf("%q was read", text)
			}
		}
	}
}

func TestBuiltInTimestampsAgreeWithTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		layout := rapid.SampledFrom([]string{"1/2/2006", "01/02/2006", "2006-01-02"}).Draw(t, "date")
		clock := rapid.SampledFrom([]string{"", "15:04", "15:04:05", "15:04:05.0", "15:04:05.000", "15:04:05.000000"}).Draw(t, "clock")
		if clock != "" {
			layout += rapid.SampledFrom([]string{" ", "T"}).Draw(t, "separator") + clock +
				rapid.SampledFrom([]string{"", "Z07:00", "-07", "-0700", "-07:00"}).Draw(t, "zone")
		}
		var text string
		if rapid.Bool().Draw(t, "a time") {
			offset := rapid.IntRange(-15*60, 15*60).Draw(t, "offset in minutes") * 60
			instant := time.Unix(rapid.Int64Range(-62_000_000_000, 253_000_000_000).Draw(t, "seconds"), rapid.Int64Range(0, 999_999).Draw(t, "micros")*1000)
			text = instant.In(time.FixedZone("", offset)).Format(layout)
		} else {
			// Mostly impossible: fields beyond their ranges.
			text = fmt.Sprintf("%04d-%02d-%02d", rapid.IntRange(1, 2500).Draw(t, "year"), rapid.IntRange(0, 13).Draw(t, "month"), rapid.IntRange(0, 32).Draw(t, "day"))
			layout = "2006-01-02"
			if rapid.Bool().Draw(t, "with a clock") {
				// Hour 24 and second 60 are read, other than by package time.
				text += fmt.Sprintf("T%02d:%02d:%02d", rapid.IntRange(0, 23).Draw(t, "hour"), rapid.IntRange(0, 61).Draw(t, "minute"), rapid.IntRange(0, 59).Draw(t, "second"))
				layout += "T15:04:05"
			}
		}
		want, err := time.Parse(layout, text)
		got, reason := new(Parser).parseTimestamp([]byte(text))
		if (err == nil) != (reason == "") {
			t.Fatalf("%q: package time says %v, the reason is %q", text, err, reason)
		}
		if err == nil && got != want.UnixMicro() {
			t.Fatalf("%q gives %s, not %s", text, time.UnixMicro(got).UTC(), want.UTC())
		}
	})
}

func mustTime(t testing.TB, text string) time.Time {
	t.Helper()
	instant, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return instant
}
