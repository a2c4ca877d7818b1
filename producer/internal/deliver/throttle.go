package deliver

import "time"

// catchUp is how much of the time that was lost is made up for: as much as
// timers are late, and not what an outage took, after which a burst would follow.
const catchUp = 100 * time.Millisecond

// throttle spaces batches out. The zero value does not.
type throttle struct {
	perSecond float64
	next      time.Time
}

// turn returns when a batch of so many records may be sent, and counts it.
func (t *throttle) turn(now time.Time, records int) time.Time {
	if t.perSecond <= 0 {
		return now
	}
	if earliest := now.Add(-catchUp); t.next.Before(earliest) {
		t.next = earliest
	}
	turn := t.next
	t.next = turn.Add(time.Duration(float64(records) / t.perSecond * float64(time.Second)))
	return turn
}
