package record

import (
	"strings"
	"testing"
	"time"

	"github.com/itchyny/timefmt-go"
	"pgregory.net/rapid"
)

func TestTimestampFormats(t *testing.T) {
	for _, test := range []struct {
		name, format, input string
		want                string // RFC 3339
		reason              Reason
	}{
		{name: "day first", format: "%d/%m/%Y", input: "31/12/2012", want: "2012-12-31T00:00:00Z"},
		{name: "one digit", format: "%d/%m/%Y", input: "1/2/2012", want: "2012-02-01T00:00:00Z"},
		{name: "time", format: "%d.%m.%Y %H:%M:%S", input: "31.12.2012 13:45:56", want: "2012-12-31T13:45:56Z"},
		{name: "fraction", format: "%Y-%m-%d %H:%M:%S,%f", input: "2012-12-31 13:45:56,789", want: "2012-12-31T13:45:56.789Z"},
		{name: "no separators", format: "%Y%m%d%H%M%S", input: "20121231134556", want: "2012-12-31T13:45:56Z"},
		{name: "composites", format: "%F %T", input: "2012-12-31 13:45:56", want: "2012-12-31T13:45:56Z"},
		{name: "month by name", format: "%d %B %Y", input: "31 december 2012", want: "2012-12-31T00:00:00Z"},
		{name: "month by short name", format: "%d-%b-%y", input: "31-Dec-12", want: "2012-12-31T00:00:00Z"},
		{name: "C's date", format: "%c", input: "Mon Dec 31 13:45:56 2012", want: "2012-12-31T13:45:56Z"},
		{name: "twelve hours", format: "%m/%d/%Y %I:%M %p", input: "12/31/2012 1:45 pm", want: "2012-12-31T13:45:00Z"},
		{name: "noon", format: "%m/%d/%Y %I:%M %p", input: "12/31/2012 12:00 PM", want: "2012-12-31T12:00:00Z"},
		{name: "midnight", format: "%m/%d/%Y %I:%M %p", input: "12/31/2012 12:00 AM", want: "2012-12-31T00:00:00Z"},
		{name: "zone", format: "%Y-%m-%d %H:%M %z", input: "2012-12-31 13:45 -0500", want: "2012-12-31T18:45:00Z"},
		{name: "zone with colon", format: "%Y-%m-%d %H:%M%:z", input: "2012-12-31 13:45-05:00", want: "2012-12-31T18:45:00Z"},
		{name: "seconds since 1970", format: "%s", input: "1356961556", want: "2012-12-31T13:45:56Z"},
		{name: "seconds before 1970", format: "%s", input: "-1", want: "1969-12-31T23:59:59Z"},
		{name: "month without day", format: "%Y-%m", input: "2012-12", want: "2012-12-01T00:00:00Z"},
		{name: "day of the year", format: "%Y-%j", input: "2012-366", want: "2012-12-31T00:00:00Z"},
		{name: "day of a week", format: "%G-W%V-%u", input: "2012-W01-1", want: "2012-01-02T00:00:00Z"},
		{name: "week 53", format: "%G-W%V-%u", input: "2015-W53-7", want: "2016-01-03T00:00:00Z"},
		{name: "first week of a year, as such", format: "%G-W%V-%u", input: "2013-W01-1", want: "2012-12-31T00:00:00Z"},
		{name: "leap day", format: "%d/%m/%Y", input: "29/02/2012", want: "2012-02-29T00:00:00Z"},
		{name: "first of the month", format: "%d/%m/%Y", input: "01/03/2012", want: "2012-03-01T00:00:00Z"},
		{name: "second 60", format: "%d/%m/%Y %H:%M:%S", input: "30/06/2012 23:59:60", want: "2012-07-01T00:00:00Z"},
		{name: "percent sign", format: "%Y%%%m%%%d", input: "2012%12%31", want: "2012-12-31T00:00:00Z"},
		{name: "quote in the format", format: "%Y-%m-%d \"%H:%M\"", input: "2012-12-31 \"13:45\"", want: "2012-12-31T13:45:00Z"},
		{name: "a space before the day", format: "%b %e %Y", input: "Jan  3 2012", want: "2012-01-03T00:00:00Z"},

		{name: "year of few digits, written in four", format: "%d/%m/%Y", input: "31/12/0012", want: "0012-12-31T00:00:00Z"},
		{name: "year of weeks, written in four", format: "%G-W%V-%u", input: "0013-W01-1", want: "0012-12-31T00:00:00Z"},

		{name: "no separators, small numbers", format: "%d%m%y", input: "010112", want: "2012-01-01T00:00:00Z"},
		{name: "no separators, a fraction", format: "%Y%m%d %H%M%S%f", input: "20120111 1345567", want: "2012-01-11T13:45:56.7Z"},
		{name: "digits in the format", format: "%d.%m.20%y", input: "1.1.2012", want: "2012-01-01T00:00:00Z"},

		{name: "a digit short, day first", format: "%d%m%y", input: "10112", reason: ReasonTimestampFormat},
		{name: "a digit short, year first", format: "%Y%m%d", input: "2012111", reason: ReasonTimestampFormat},
		{name: "a digit short, second", format: "%Y%m%d%H%M%S", input: "2012111134556", reason: ReasonTimestampFormat},
		{name: "a digit short, of the second number", format: "%Y%m%d %H%M", input: "20120111 134", reason: ReasonTimestampFormat},
		{name: "a digit short, beside a digit", format: "%m20%y/%d", input: "12012/11", reason: ReasonTimestampFormat},
		{name: "31 June, second 60", format: "%d/%m/%Y %H:%M:%S", input: "31/06/2012 23:59:60", reason: ReasonTimestampFormatDate},
		{name: "29 February, second 60", format: "%d/%m/%Y %H:%M:%S", input: "29/02/2013 23:59:60", reason: ReasonTimestampFormatDate},
		{name: "day 366, second 60", format: "%Y-%j %H:%M:%S", input: "2013-366 23:59:60", reason: ReasonTimestampFormatDate},

		{name: "empty", format: "%d/%m/%Y", input: "", reason: ReasonTimestampEmpty},
		{name: "year of two digits", format: "%d/%m/%Y", input: "31/12/12", reason: ReasonTimestampFormat},
		{name: "year of three digits", format: "%Y-%j", input: "201-365", reason: ReasonTimestampFormat},
		{name: "year of weeks of two digits", format: "%G-W%V-%u", input: "13-W01-1", reason: ReasonTimestampFormat},
		{name: "another format", format: "%d/%m/%Y", input: "2012-12-31", reason: ReasonTimestampFormat},
		{name: "text behind", format: "%d/%m/%Y", input: "31/12/2012x", reason: ReasonTimestampFormat},
		{name: "cut short", format: "%d/%m/%Y", input: "31/12/", reason: ReasonTimestampFormat},
		{name: "month 13", format: "%d/%m/%Y", input: "31/13/2012", reason: ReasonTimestampFormat},
		{name: "hour 24", format: "%F %H:%M", input: "2012-12-31 24:00", reason: ReasonTimestampFormat},
		{name: "no zone", format: "%F %H:%M%z", input: "2012-12-31 13:45", reason: ReasonTimestampFormat},
		{name: "31 April", format: "%d/%m/%Y", input: "31/04/2012", reason: ReasonTimestampFormatDate},
		{name: "30 February", format: "%d/%m/%Y", input: "30/02/2012", reason: ReasonTimestampFormatDate},
		{name: "31 February", format: "%d/%m/%Y", input: "31/02/2013", reason: ReasonTimestampFormatDate},
		{name: "29 February of a common year", format: "%d/%m/%Y", input: "29/2/2013", reason: ReasonTimestampFormatDate},
		{name: "31 April without separators", format: "%Y%m%d", input: "20120431", reason: ReasonTimestampFormatDate},
		{name: "31 April in a composite", format: "%F", input: "2012-04-31", reason: ReasonTimestampFormatDate},
		{name: "31 April with a zone", format: "%F %H:%M%z", input: "2012-04-31 23:00-0500", reason: ReasonTimestampFormatDate},
		{name: "31 April behind a space", format: "%b%e %Y", input: "Apr 31 2012", reason: ReasonTimestampFormatDate},
		{name: "day 366 of a common year", format: "%Y-%j", input: "2013-366", reason: ReasonTimestampFormatDate},
		{name: "week 53 of a year of 52", format: "%G-W%V-%u", input: "2012-W53-1", reason: ReasonTimestampFormatDate},
		{name: "year 0", format: "%Y-%m-%d", input: "0000-12-31", reason: ReasonTimestampFormatDate},
		{name: "negative year", format: "%Y-%m-%d", input: "-2012-12-31", reason: ReasonTimestampFormatDate},
		{name: "milliseconds for seconds", format: "%s", input: "1356961556000", reason: ReasonTimestampFormatDate},
		{name: "the end of time", format: "%s", input: "67767976233532799", reason: ReasonTimestampFormatDate},
		{name: "the start of time", format: "%s", input: "-67768100567971200", reason: ReasonTimestampFormatDate},
		{name: "beyond the end of time", format: "%s", input: "99999999999999999999", reason: ReasonTimestampFormat},
	} {
		t.Run(test.name, func(t *testing.T) {
			parser, err := NewParser(prices(func(f *Format) { f.TimestampFormat = test.format }))
			if err != nil {
				t.Fatal(err)
			}
			got, reason := parser.parseTimestamp([]byte(test.input))
			if reason != test.reason {
				t.Fatalf("%q: reason %q, not %q", test.input, reason, test.reason)
			}
			if reason == "" && !time.UnixMicro(got).Equal(mustTime(t, test.want)) {
				t.Errorf("%q gives %s, not %s", test.input, time.UnixMicro(got).UTC().Format(time.RFC3339Nano), test.want)
			}
		})
	}
}

func TestTimestampFormatWithTimezone(t *testing.T) {
	for _, test := range []struct{ format, input, want string }{
		{"%d/%m/%Y %H:%M", "10/01/2012 13:45", "2012-01-10T18:45:00Z"},
		{"%d/%m/%Y %H:%M %z", "10/01/2012 13:45 +0200", "2012-01-10T11:45:00Z"},
		{"%d/%m/%Y %H:%M %z", "10/01/2012 13:45 Z", "2012-01-10T13:45:00Z"},
		{"%s", "1356961556", "2012-12-31T13:45:56Z"},
	} {
		parser, err := NewParser(prices(func(f *Format) { f.TimestampFormat, f.Timezone = test.format, "America/Bogota" }))
		if err != nil {
			t.Fatal(err)
		}
		got, reason := parser.parseTimestamp([]byte(test.input))
		if reason != "" || !time.UnixMicro(got).Equal(mustTime(t, test.want)) {
			t.Errorf("%q by %q gives %s (%s), not %s", test.input, test.format, time.UnixMicro(got).UTC(), reason, test.want)
		}
	}
}

func TestTimestampFormatValidate(t *testing.T) {
	for _, test := range []struct {
		name, format string
		want         string // part of the error
	}{
		{"zone name", "%F %T %Z", "ambiguous"},
		{"date with a zone name", "%+", "ambiguous"},
		{"century", "%C%y-%m-%d", "use %Y"},
		{"weeks from Sunday", "%Y %U %w", "can't be checked"},
		{"weeks from Monday", "%Y %W %u", "can't be checked"},
		{"short year of weeks", "%g-%V-%u", "use %G"},
		{"unknown directive", "%Y-%m-%d %Q", "%Q"},
		{"glibc flag", "%-d/%m/%Y", "%-"},
		{"percent at the end", "%Y-%m-%d %", "a % stands at its end"},
		{"colons at the end", "%Y-%m-%d %::", "a % stands at its end"},
		{"colon before something else", "%Y-%m-%d %:H", "z"},
		{"nothing", " ", "no year"},
		{"no directive", "yesterday", "no year"},
		{"no year", "%d/%m", "no year"},
		{"no month", "%Y", "no month"},
		{"day without month", "%d %Y", "needs a month"},
		{"twelve hours without half", "%Y-%m-%d %I:%M", "needs %p"},
		{"twelve hours without half, padded", "%Y-%m-%d %l:%M", "needs %p"},
		{"week without year", "%V-%u", "needs its year"},
		{"week with a common year", "%Y-W%V-%u", "needs its year"},
		{"year of weeks without week", "%G-%m-%d", "needs %V"},
		{"year of weeks without day", "%G-W%V", "needs %V and %u"},
		{"hour without width before minutes", "%Y-%m-%d %k%M", "Put something between"},
		{"hour without width before the year", "%B%k%Y", "Put something between"},
		{"hour without width, and again", "%Y%k%S%k%B", "Put something between"},
		{"hour without width before the day", "%k%v", "Put something between"},
		{"day without width before the hour", "%e%H %m %Y", "Put something between"},
		{"space before", " %Y-%m-%d", "can't read what it prints"},
		{"space behind", "%Y-%m-%d ", "can't read what it prints"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := prices(func(f *Format) { f.TimestampFormat = test.format })
			err := f.Validate()
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%q: error %v, not one with %q", test.format, err, test.want)
			}
		})
	}
}

// Dates that exist are read as the library reads them, and others not at all.
func TestTimestampFormatsReadEveryDate(t *testing.T) {
	formats := map[string]*layout{}
	for _, format := range []string{"%d/%m/%Y", "%e %b %Y", "%b %e %Y", "%Y%m%d", "%Y-%j", "%G-W%V-%u", "%c", "%v %T", "%d.%m.%y %H:%M:%S.%f"} {
		l, err := newLayout(format)
		if err != nil {
			t.Fatal(err)
		}
		formats[format] = l
	}
	rapid.Check(t, func(t *rapid.T) {
		instant := time.Date(rapid.IntRange(1970, 2067).Draw(t, "year"), 1, 1, rapid.IntRange(0, 23).Draw(t, "hour"), 0, 0, 0, time.UTC).
			AddDate(0, 0, rapid.IntRange(0, 365).Draw(t, "day"))
		for format, l := range formats {
			text := timefmt.Format(instant, format)
			want, err := timefmt.Parse(text, format)
			if err != nil {
				t.Fatal(err)
			}
			got, reason := l.parse(trim([]byte(text)))
			if reason != "" || got.seconds != want.Unix() || got.micros != int64(want.Nanosecond()/1000) {
				t.Fatalf("%q by %q gives %+v (%s), not %s", text, format, got, reason, want)
			}
		}
		year, month, day := instant.Year(), rapid.IntRange(1, 12).Draw(t, "month"), rapid.IntRange(29, 31).Draw(t, "last day")
		text := time.Date(year, time.Month(month), 1, 0, 0, 0, 0, time.UTC).Format("2006-01-") + string(rune('0'+day/10)) + string(rune('0'+day%10))
		_, err := time.Parse(time.DateOnly, text)
		digits := strings.ReplaceAll(text, "-", "")
		if _, reason := formats["%Y%m%d"].parse([]byte(digits)); (reason == "") != (err == nil) {
			t.Fatalf("%s: package time says %v, the reason is %q", text, err, reason)
		}
	})
}
