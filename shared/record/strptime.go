package record

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/itchyny/timefmt-go"
)

// layout is a strptime format that has been checked.
type layout struct {
	format string
	zoned  bool // what it reads says by itself which instant it means
	years  bool // the year is written in four digits, %Y or %G
	runs   []digits

	// overflows tell whether a date that came out as one of the first days of a
	// month, a year or a year of weeks was written as a day beyond the end of
	// the one before.
	overflows []overflow
}

// overflow is the format with literal digits in place of a directive.
type overflow struct {
	written int // those digits
	field   field
	format  string
}

type field uint8

const (
	dayOfMonth field = iota
	dayOfYear
	weekOfYear
)

// composites are the directives that stand for several others.
var composites = map[string]string{
	"%F": "%Y-%m-%d",
	"%D": "%m/%d/%y",
	"%x": "%m/%d/%y",
	"%T": "%H:%M:%S",
	"%X": "%H:%M:%S",
	"%R": "%H:%M",
	"%r": "%I:%M:%S %p",
	"%c": "%a %b %e %H:%M:%S %Y",
	"%v": "%e-%b-%Y",
}

// refused are the directives that timefmt knows and that can't be trusted here.
var refused = map[string]string{
	"%Z": "abbreviations of time zones are ambiguous: write the abbreviation itself and give the zone apart, or use %z",
	"%+": "it holds %Z, and abbreviations of time zones are ambiguous",
	"%U": "weeks that begin on Sunday can't be checked: use %m and %d, %j, or %G, %V and %u",
	"%W": "weeks counted from the first Monday can't be checked: use %m and %d, %j, or %G, %V and %u",
	"%g": "a year of weeks needs four digits: use %G",
	"%C": "a century by itself can't be read: use %Y",
}

// parse reads b, all of it.
func (l *layout) parse(b []byte) (wallTime, Reason) {
	t, err := timefmt.Parse(string(b), l.format)
	if err != nil {
		return wallTime{}, ReasonTimestampFormat
	}
	if !hasRuns(b, l.runs) {
		return wallTime{}, ReasonTimestampFormat
	}
	for _, o := range l.overflows {
		// A leap second carries what has overflowed on by a day.
		if o.field.hasOverflowed(t, o.written) || o.field.hasOverflowed(t.Add(-time.Second), o.written) {
			if _, err := timefmt.Parse(string(b), o.format); err == nil {
				return wallTime{}, ReasonTimestampFormatDate
			}
		}
	}
	if t.Year() < firstYear || t.Year() > lastYear {
		return wallTime{}, ReasonTimestampFormatDate
	}
	if l.years && t.Year() < 1000 && !holdsYear(b, t) {
		return wallTime{}, ReasonTimestampFormat
	}
	return wallTime{seconds: t.Unix(), micros: int64(t.Nanosecond() / 1000), zoned: l.zoned}, ""
}

// holdsYear says whether the year of t stands in b with its zeros. timefmt takes
// fewer digits too, and so 12 for the year 12.
func holdsYear(b []byte, t time.Time) bool {
	week, _ := t.ISOWeek()
	return bytes.Contains(b, fmt.Appendf(nil, "%04d", t.Year())) || bytes.Contains(b, fmt.Appendf(nil, "%04d", week))
}

// hasOverflowed says whether t may be what timefmt makes of the number written
// in that field: it counts on into the next month or year.
func (f field) hasOverflowed(t time.Time, written int) bool {
	switch f {
	case dayOfMonth:
		end := time.Date(t.Year(), t.Month(), 0, 0, 0, 0, 0, time.UTC).Day()
		return end+t.Day() == written
	case dayOfYear:
		return t.YearDay() == 1
	default:
		_, week := t.ISOWeek()
		return week == 1
	}
}

// newLayout checks that format can be read and says which day it means.
func newLayout(format string) (*layout, error) {
	l := &layout{}
	directives, err := splitFormat(format)
	if err != nil {
		return nil, fmt.Errorf("timestamp format %q: %w", format, err)
	}
	l.format = strings.Join(directives, "")
	has := make(map[string]bool)
	for _, d := range directives {
		has[d] = true
	}
	if err := checkDirectives(has); err != nil {
		return nil, fmt.Errorf("timestamp format %q: %w", format, err)
	}
	l.years = has["%Y"] || has["%G"]
	l.runs = runs(directives)
	l.zoned = has["%s"] || has["%z"] || has["%:z"] || has["%::z"] || has["%:::z"]
	switch {
	case has["%d"] || has["%e"]:
		for written := 29; written <= 31; written++ {
			l.replace(directives, dayOfMonth, written, "%d", "%e")
		}
	case has["%j"]:
		l.replace(directives, dayOfYear, 366, "%j")
	case has["%G"]:
		l.replace(directives, weekOfYear, 53, "%V")
	}
	if err := checkWidths(directives); err != nil {
		return nil, fmt.Errorf("timestamp format %q: %w", format, err)
	}
	if err := l.readBack(directives); err != nil {
		return nil, fmt.Errorf("timestamp format %q: %w", format, err)
	}
	return l, nil
}

// replace adds the overflow in which these directives say the given number. %e
// may be written with a space before it.
func (l *layout) replace(directives []string, f field, written int, names ...string) {
	var format, spaced strings.Builder
	for _, d := range directives {
		literal, spacedLiteral := d, d
		for _, name := range names {
			if d == name {
				literal = fmt.Sprint(written)
				spacedLiteral = literal
				if name == "%e" {
					spacedLiteral = " " + literal
				}
			}
		}
		format.WriteString(literal)
		spaced.WriteString(spacedLiteral)
	}
	l.overflows = append(l.overflows, overflow{written: written, field: f, format: format.String()})
	if spaced.String() != format.String() {
		l.overflows = append(l.overflows, overflow{written: written, field: f, format: spaced.String()})
	}
}

// splitFormat takes a format apart into directives and the text between them,
// composite directives resolved.
func splitFormat(format string) ([]string, error) {
	var parts []string
	for format != "" {
		i := strings.IndexByte(format, '%')
		if i < 0 {
			return append(parts, format), nil
		}
		if i > 0 {
			parts = append(parts, format[:i])
		}
		n := i + 1
		for n < len(format) && format[n] == ':' {
			n++
		}
		if n == len(format) {
			return nil, errors.New("a % stands at its end: write %% for the character")
		}
		directive := format[i : n+1]
		format = format[n+1:]
		if why, ok := refused[directive]; ok {
			return nil, fmt.Errorf("%s can't be used: %s", directive, why)
		}
		resolved, ok := composites[directive]
		if !ok {
			parts = append(parts, directive)
			continue
		}
		inner, err := splitFormat(resolved)
		if err != nil {
			return nil, err
		}
		parts = append(parts, inner...)
	}
	return parts, nil
}

// checkDirectives says what is missing for a format to mean a certain time.
func checkDirectives(has map[string]bool) error {
	month := has["%m"] || has["%b"] || has["%B"] || has["%h"]
	day := has["%d"] || has["%e"]
	year := has["%Y"] || has["%y"]
	twelve := has["%I"] || has["%l"]
	half := has["%p"] || has["%P"]
	weekday := has["%u"] || has["%w"] || has["%a"] || has["%A"]
	switch {
	case twelve && !half:
		return errors.New("an hour of twelve (%I, %l) needs %p, or use %H")
	case has["%s"]:
		return nil
	case has["%G"] && (year || month || day || has["%j"] || !has["%V"] || !weekday):
		return errors.New("a year of weeks (%G) needs %V and %u, and nothing else that says the day")
	case has["%G"]:
		return nil
	case has["%V"]:
		return errors.New("a week (%V) needs its year, %G")
	case !year:
		return errors.New("it has no year (%Y or %y)")
	case day && !month:
		return errors.New("a day (%d, %e) needs a month (%m, %b or %B)")
	case !month && !has["%j"]:
		return errors.New("it has no month (%m, %b or %B) and no day of the year (%j)")
	default:
		return nil
	}
}

// checkWidths refuses a number without a fixed width right before what may begin
// with a digit or a space: it would read a part of that.
func checkWidths(directives []string) error {
	for i := 1; i < len(directives); i++ {
		switch directives[i-1] {
		case "%e", "%k", "%l", "%s", "%f":
		default:
			continue
		}
		switch next := directives[i]; {
		case next[0] != '%' && (next[0] < '0' || next[0] > '9'):
		case slices.Contains([]string{"%a", "%A", "%b", "%B", "%h", "%p", "%P", "%z", "%:z", "%::z", "%:::z", "%%", "%n", "%t"}, next):
		default:
			return fmt.Errorf("%s has no fixed width, and can't be told from %s behind it. Put something between", directives[i-1], next)
		}
	}
	return nil
}

// readBack tries the format on what it prints itself, trimmed as fields are,
// and compares what it reads. Weekdays are left out: they are not checked.
func (l *layout) readBack(directives []string) error {
	compared := strings.Join(slices.DeleteFunc(slices.Clone(directives), func(d string) bool {
		return d == "%a" || d == "%A" || d == "%u" || d == "%w"
	}), "")
	for _, sample := range []time.Time{
		time.Date(2012, time.January, 3, 1, 2, 3, 4000, time.UTC),
		time.Date(2012, time.November, 23, 13, 45, 56, 123456000, time.UTC),
	} {
		text := timefmt.Format(sample, l.format)
		t, err := timefmt.Parse(string(trim([]byte(text))), l.format)
		if err != nil {
			return fmt.Errorf("it can't read what it prints: %w", err)
		}
		if printed := timefmt.Format(t.UTC(), compared); printed != timefmt.Format(sample, compared) {
			return fmt.Errorf("it can't read what it prints: %q reads as %q", text, timefmt.Format(t.UTC(), l.format))
		}
	}
	return nil
}
