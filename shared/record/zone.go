package record

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	_ "time/tzdata" // a zone of a Format must mean the same where no zone files are installed
)

const (
	zoneSpans = 64

	// spanShift makes neighbouring stretches of 2²² seconds, 48 days, share a
	// slot each, so that 64 slots hold eight years in whatever order they come.
	spanShift = 22
)

// zone gives the offset of wall clock times, remembering the spans in which it
// does not change.
type zone struct {
	location *time.Location
	spans    [zoneSpans]span
}

// span is a stretch of wall clock time with one offset: from ≤ seconds < to.
type span struct {
	from, to int64
	offset   int64
}

// ValidateZone reports whether name can be a Format's Timezone.
func ValidateZone(name string) error {
	_, err := newZone(name)
	return err
}

func newZone(name string) (*zone, error) {
	if name == "" || name == "UTC" {
		return nil, nil
	}
	if name == "Local" {
		return nil, errors.New(`time zone "Local" means another zone on another machine: name the zone, as in America/Bogota`)
	}
	if !isZoneName(name) {
		return nil, unknownZone(name)
	}
	location, err := time.LoadLocation(name)
	if err != nil {
		return nil, unknownZone(name)
	}
	return &zone{location: location}, nil
}

func unknownZone(name string) error {
	return fmt.Errorf("time zone %q is not known: expected a name of the IANA database, as in America/Bogota", name)
}

// isZoneName says whether name is written as all names of the IANA database are.
// Some disks have others as well, or take them for those, and another machine does
// not know them: posix/Europe/Madrid, europe/madrid.
func isZoneName(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part[0] < 'A' || part[0] > 'Z' {
			return false
		}
	}
	return true
}

// offset returns the seconds east of UTC at a wall clock time, given as seconds
// since 1970-01-01 00:00 on that clock. A time that the clock skips, or shows
// twice, is taken as PostgreSQL does: by the lesser offset of the two, so a
// skipped time is read on the clock from before the change and a repeated one
// is its second showing.
func (z *zone) offset(seconds int64) int64 {
	s := &z.spans[uint64(seconds>>spanShift)%zoneSpans]
	if seconds < s.from || seconds >= s.to {
		*s = z.find(seconds)
	}
	return s.offset
}

// find returns the span around a wall clock time. It looks at the first change
// of the clock behind the instant a day before it, the way PostgreSQL does.
func (z *zone) find(seconds int64) span {
	before := time.Unix(seconds-secondsPerDay, 0).In(z.location)
	start, change := before.ZoneBounds()
	_, east := before.Zone()
	offset := int64(east)
	from := int64(math.MinInt64)
	if !start.IsZero() {
		from = start.Unix() + secondsPerDay
	}
	if change.IsZero() {
		return span{from: from, to: math.MaxInt64, offset: offset}
	}
	_, east = change.Zone()
	next := int64(east)
	firstOnly := change.Unix() + min(offset, next) // before this, only the old offset is possible
	secondOnly := change.Unix() + max(offset, next)
	switch {
	case seconds < firstOnly:
		return span{from: from, to: firstOnly, offset: offset}
	case seconds < secondOnly:
		return span{from: firstOnly, to: secondOnly, offset: min(offset, next)}
	default:
		return span{from: secondOnly, to: change.Unix() + secondsPerDay, offset: next}
	}
}
