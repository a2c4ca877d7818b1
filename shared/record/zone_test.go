package record

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestZone(t *testing.T) {
	for _, test := range []struct{ name, zone, wall, want string }{
		{"no summer time", "America/Bogota", "2012-01-10T00:00:00", "2012-01-10T05:00:00Z"},
		{"the one summer time that was", "America/Bogota", "1992-07-01T00:00:00", "1992-07-01T04:00:00Z"},
		{"local mean time", "America/Bogota", "1850-01-01T00:00:00", "1850-01-01T04:56:16Z"},
		{"winter", "America/New_York", "2012-01-10T00:00:00", "2012-01-10T05:00:00Z"},
		{"summer", "America/New_York", "2012-07-10T00:00:00", "2012-07-10T04:00:00Z"},
		{"last second before a skipped hour", "America/New_York", "2012-03-11T01:59:59", "2012-03-11T06:59:59Z"},
		{"first skipped second", "America/New_York", "2012-03-11T02:00:00", "2012-03-11T07:00:00Z"},
		{"last skipped second", "America/New_York", "2012-03-11T02:59:59", "2012-03-11T07:59:59Z"},
		{"first second behind a skipped hour", "America/New_York", "2012-03-11T03:00:00", "2012-03-11T07:00:00Z"},
		{"last second before a repeated hour", "America/New_York", "2012-11-04T00:59:59", "2012-11-04T04:59:59Z"},
		{"first repeated second", "America/New_York", "2012-11-04T01:00:00", "2012-11-04T06:00:00Z"},
		{"last repeated second", "America/New_York", "2012-11-04T01:59:59", "2012-11-04T06:59:59Z"},
		{"first second behind a repeated hour", "America/New_York", "2012-11-04T02:00:00", "2012-11-04T07:00:00Z"},
		{"half an hour", "Australia/Lord_Howe", "2012-10-07T02:15:00", "2012-10-06T15:45:00Z"},
		{"a skipped day", "Pacific/Apia", "2011-12-30T12:00:00", "2011-12-30T22:00:00Z"},
		{"behind a skipped day", "Pacific/Apia", "2011-12-31T00:00:00", "2011-12-30T10:00:00Z"},
		{"the rule goes on for ever", "Europe/Madrid", "2090-07-01T12:00:00", "2090-07-01T10:00:00Z"},
		{"UTC", "Etc/UTC", "2012-01-10T00:00:00", "2012-01-10T00:00:00Z"},
	} {
		t.Run(test.name, func(t *testing.T) {
			parser, err := NewParser(prices(func(f *Format) { f.Timezone = test.zone }))
			if err != nil {
				t.Fatal(err)
			}
			got, reason := parser.parseTimestamp([]byte(test.wall))
			if reason != "" || !time.UnixMicro(got).Equal(mustTime(t, test.want)) {
				t.Errorf("%s in %s is %s (%s), not %s", test.wall, test.zone, time.UnixMicro(got).UTC().Format(time.RFC3339), reason, test.want)
			}
			// A zone of its own is not overruled.
			got, reason = parser.parseTimestamp([]byte(test.wall + "+02:00"))
			if reason != "" || !time.UnixMicro(got).Equal(mustTime(t, test.wall+"+02:00")) {
				t.Errorf("%s+02:00 in %s is %s (%s)", test.wall, test.zone, time.UnixMicro(got).UTC().Format(time.RFC3339), reason)
			}
		})
	}
}

// Whatever is asked, in whatever order, what is remembered must not show.
func TestZoneAgreesWithTime(t *testing.T) {
	for _, name := range []string{
		"America/Bogota", "America/New_York", "America/Caracas", "America/St_Johns", "Europe/Madrid", "Europe/Dublin",
		"Europe/Moscow", "Africa/Casablanca", "Asia/Kathmandu", "Australia/Lord_Howe", "Antarctica/Troll", "Pacific/Apia", "Pacific/Kiritimati",
	} {
		t.Run(name, func(t *testing.T) {
			z, err := newZone(name)
			if err != nil {
				t.Fatal(err)
			}
			rapid.Check(t, func(t *rapid.T) {
				seconds := rapid.Int64Range(-3_000_000_000, 4_000_000_000).Draw(t, "seconds")
				if rapid.Bool().Draw(t, "near a change") {
					if _, change := time.Unix(seconds, 0).In(z.location).ZoneBounds(); !change.IsZero() {
						_, offset := change.Zone()
						seconds = change.Unix() + int64(offset) + rapid.Int64Range(-100_000, 100_000).Draw(t, "behind it")
					}
				}
				want := slowOffset(z.location, seconds)
				if got := z.offset(seconds); got != want {
					t.Fatalf("%s in %s has offset %d, not %d", time.Unix(seconds, 0).UTC().Format(time.DateTime), name, got, want)
				}
			})
		})
	}
}

// Times 2²⁸ seconds apart share a slot, and so do those before and behind a
// change of the clock.
func TestZoneRemembersNoMoreThanItKnows(t *testing.T) {
	z, err := newZone("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	change := mustTime(t, "2012-11-04T02:00:00Z").Unix()
	for _, near := range []int64{-10, 10, -90_000, 90_000, 10, -10} {
		for _, far := range []int64{0, 1 << 28, 0, -1 << 28, 0} {
			seconds := change + far + near
			if got, want := z.offset(seconds), slowOffset(z.location, seconds); got != want {
				t.Errorf("%s has offset %d, not %d", time.Unix(seconds, 0).UTC().Format(time.DateTime), got, want)
			}
		}
	}
}

// slowOffset tries the offsets from the days around. Of those that are in force
// at the instant they lead to, or else of all, it returns the least.
func slowOffset(location *time.Location, seconds int64) int64 {
	const none = 1 << 30
	inForce, either := int64(none), int64(none)
	for _, around := range []int64{-36 * 3600, 36 * 3600} {
		_, east := time.Unix(seconds+around, 0).In(location).Zone()
		offset := int64(east)
		either = min(either, offset)
		if _, there := time.Unix(seconds-offset, 0).In(location).Zone(); int64(there) == offset {
			inForce = min(inForce, offset)
		}
	}
	if inForce != none {
		return inForce
	}
	return either
}
