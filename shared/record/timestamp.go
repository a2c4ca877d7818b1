package record

import (
	"bytes"
	"math"
	"strconv"
)

const (
	secondsPerDay    = 24 * 60 * 60
	microsPerSecond  = 1_000_000
	maxOffsetHours   = 15 // PostgreSQL's MAX_TZDISP_HOUR
	daysBefore1970   = 719162
	firstYear        = 1
	lastYear         = 9999
	leapSecond       = 60
	endOfDayHour     = 24
	microsDigits     = 6
	shortMonthLength = 28
)

// wallTime is a date and time of day as written, before any zone is applied.
type wallTime struct {
	seconds int64 // since 1970-01-01 00:00 on the same clock
	micros  int64 // 0 to 1,000,000
	zoned   bool  // a zone was written
	offset  int64 // of that zone, in seconds east of UTC
}

// parseTimestamp reads a timestamp by the parser's format and returns
// microseconds since 1970 UTC.
func (p *Parser) parseTimestamp(b []byte) (int64, Reason) {
	if len(b) == 0 {
		return 0, ReasonTimestampEmpty
	}
	var t wallTime
	var reason Reason
	if p.layout == nil {
		t, reason = p.date.parseBuiltIn(b)
	} else {
		t, reason = p.layout.parse(b)
	}
	if reason != "" {
		return 0, reason
	}
	if !t.zoned && p.zone != nil {
		t.offset = p.zone.offset(t.seconds)
	}
	return (t.seconds-t.offset)*microsPerSecond + t.micros, ""
}

// parseBuiltIn reads the timestamps that need no format:
//
//	1/10/2012                   month first; one or two digits, year of four
//	2012-01-10                  ISO 8601
//
// each by itself or followed by a space or a T and a time of day:
//
//	13:45   13:45:56   13:45:56.789012
//
// behind which a zone may follow: Z, ±hh, ±hhmm or ±hh:mm. The letters may be
// small ones. The hour may be of one digit behind a date with slashes. Years are
// 0001 to 9999. As in PostgreSQL, second 60 is the first of the next minute,
// 24:00:00 is the next midnight, a zone is at most 15:59 from UTC, and digits
// beyond microseconds round to the nearest.
func (d *date) parseBuiltIn(b []byte) (wallTime, Reason) {
	days, slashes, b, reason := d.parse(b)
	if reason != "" {
		return wallTime{}, reason
	}
	t := wallTime{seconds: days * secondsPerDay}
	if len(b) == 0 {
		return t, ""
	}
	if b[0] != ' ' && b[0]|0x20 != 't' {
		return wallTime{}, ReasonTimestampSyntax
	}
	if b, reason = t.parseClock(b[1:], slashes); reason != "" || len(b) == 0 {
		return t, reason
	}
	reason = t.parseZone(b)
	return t, reason
}

// date is a date and the text it was read from, so that the same text need not be
// read again: in most files many rows have one date. What a date's text says does
// not depend on what follows it. The zero value is none.
type date struct {
	text    [len("12/31/2012")]byte
	length  int
	days    int64
	slashes bool
}

// parse is parseDate.
func (d *date) parse(b []byte) (days int64, slashes bool, rest []byte, reason Reason) {
	if n := d.length; n > 0 && len(b) >= n && bytes.Equal(b[:n], d.text[:n]) {
		return d.days, d.slashes, b[n:], ""
	}
	if days, slashes, rest, reason = parseDate(b); reason == "" {
		*d = date{days: days, slashes: slashes}
		d.length = copy(d.text[:], b[:len(b)-len(rest)])
	}
	return days, slashes, rest, reason
}

// parseDate reads the date that b begins with, as days since 1970-01-01, and
// returns what follows it.
func parseDate(b []byte) (days int64, slashes bool, rest []byte, reason Reason) {
	if len(b) >= 10 && b[4] == '-' && b[7] == '-' {
		year, ok := fourDigits(b)
		month, okMonth := twoDigits(b[5:])
		day, okDay := twoDigits(b[8:])
		if !ok || !okMonth || !okDay {
			return 0, false, nil, ReasonTimestampSyntax
		}
		days, reason = civil(year, month, day)
		return days, false, b[10:], reason
	}
	month, n := upToTwoDigits(b)
	if b = b[n:]; n == 0 || len(b) == 0 || b[0] != '/' {
		return 0, false, nil, ReasonTimestampSyntax
	}
	day, n := upToTwoDigits(b[1:])
	if b = b[1+n:]; n == 0 || len(b) < 5 || b[0] != '/' {
		return 0, false, nil, ReasonTimestampSyntax
	}
	year, ok := fourDigits(b[1:])
	if !ok {
		return 0, false, nil, ReasonTimestampSyntax
	}
	days, reason = civil(year, month, day)
	return days, true, b[5:], reason
}

// parseClock adds the time of day that b begins with and returns what follows.
func (t *wallTime) parseClock(b []byte, shortHour bool) ([]byte, Reason) {
	hour, n := upToTwoDigits(b)
	if b = b[n:]; n == 0 || n == 1 && !shortHour || len(b) < 3 || b[0] != ':' {
		return nil, ReasonTimestampSyntax
	}
	minute, ok := twoDigits(b[1:])
	if b = b[3:]; !ok {
		return nil, ReasonTimestampSyntax
	}
	second := 0
	if len(b) > 0 && b[0] == ':' {
		if second, ok = twoDigits(b[1:]); !ok {
			return nil, ReasonTimestampSyntax
		}
		if b = b[3:]; len(b) > 0 && b[0] == '.' {
			n := 1
			for n < len(b) && b[n]-'0' < 10 {
				n++
			}
			if n == 1 {
				return nil, ReasonTimestampSyntax
			}
			t.micros = roundToMicros(b[:n])
			b = b[n:]
		}
	}
	if minute > 59 || second > leapSecond || hour > endOfDayHour ||
		hour == endOfDayHour && (minute > 0 || second > 0 || t.micros > 0) {
		return nil, ReasonTimestampTime
	}
	t.seconds += int64(hour*3600 + minute*60 + second)
	return b, ""
}

// parseZone reads b, all of it, as a zone.
func (t *wallTime) parseZone(b []byte) Reason {
	t.zoned = true
	if len(b) == 1 && b[0]|0x20 == 'z' {
		return ""
	}
	if b[0] != '+' && b[0] != '-' {
		return ReasonTimestampSyntax
	}
	hours, ok := twoDigits(b[1:])
	minutes, okMinutes := 0, true
	switch {
	case len(b) == 3:
	case len(b) == 5:
		minutes, okMinutes = twoDigits(b[3:])
	case len(b) == 6 && b[3] == ':':
		minutes, okMinutes = twoDigits(b[4:])
	default:
		ok = false
	}
	if !ok || !okMinutes {
		return ReasonTimestampSyntax
	}
	if hours > maxOffsetHours || minutes > 59 {
		return ReasonTimestampZone
	}
	t.offset = int64(hours*3600 + minutes*60)
	if b[0] == '-' {
		t.offset = -t.offset
	}
	return ""
}

// roundToMicros reads a point and digits as a fraction of a second. Beyond six
// digits it rounds as PostgreSQL does: through a double, half to even.
func roundToMicros(b []byte) int64 {
	if len(b) > 1+microsDigits {
		// Never fails: b is a point and digits, and the value is below one.
		fraction, _ := strconv.ParseFloat(string(b), 64)
		return int64(math.RoundToEven(fraction * microsPerSecond))
	}
	var micros int64
	for _, c := range b[1:] {
		micros = micros*10 + int64(c-'0')
	}
	for range 1 + microsDigits - len(b) {
		micros *= 10
	}
	return micros
}

// daysBefore holds the days of a common year before each month; index 13 is
// the whole year's.
var daysBefore = [...]int{1: 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365}

// civil returns the days from 1970-01-01 to a date of the Gregorian calendar.
func civil(year, month, day int) (int64, Reason) {
	if year < firstYear || year > lastYear || month < 1 || month > 12 || day < 1 {
		return 0, ReasonTimestampDate
	}
	leap := 0
	if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		leap = 1
	}
	if day > shortMonthLength {
		length := daysBefore[month+1] - daysBefore[month]
		if month == 2 {
			length += leap
		}
		if day > length {
			return 0, ReasonTimestampDate
		}
	}
	past := year - 1
	days := past*365 + past/4 - past/100 + past/400 + daysBefore[month] + day - 1 - daysBefore1970
	if month > 2 {
		days += leap
	}
	return int64(days), ""
}

func fourDigits(b []byte) (int, bool) {
	high, ok := twoDigits(b)
	if !ok {
		return 0, false
	}
	low, ok := twoDigits(b[2:])
	return high*100 + low, ok
}

func twoDigits(b []byte) (int, bool) {
	if len(b) < 2 || b[0]-'0' > 9 || b[1]-'0' > 9 {
		return 0, false
	}
	return int(b[0]-'0')*10 + int(b[1]-'0'), true
}

// upToTwoDigits reads one or two digits and returns how many there were.
func upToTwoDigits(b []byte) (value, n int) {
	if len(b) == 0 || b[0]-'0' > 9 {
		return 0, 0
	}
	value = int(b[0] - '0')
	if len(b) == 1 || b[1]-'0' > 9 {
		return value, 1
	}
	return value*10 + int(b[1]-'0'), 2
}
