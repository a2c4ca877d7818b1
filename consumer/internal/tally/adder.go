package tally

import (
	"slices"

	"github.com/streamgauge/streamgauge/consumer/internal/distribution"
	"github.com/streamgauge/streamgauge/shared/record"
)

// adder adds up one group after the other.
type adder struct {
	tally Tally
	// counts has a place for each bucket, the least first; it is nil before the
	// first group. Of touched buckets they are above zero, of others zero.
	counts  *[2*int(distribution.Most) + 1]int64
	touched []distribution.Bucket
	// room is where the counts of the next groups go: a transaction may have
	// hundreds.
	room distribution.Counts
}

// roomSize is how much room is taken at once, in bytes.
const roomSize = 32 << 10

func (a *adder) count(b distribution.Bucket, n int64) {
	place := &a.counts[int(b)+int(distribution.Most)]
	if *place == 0 {
		a.touched = append(a.touched, b)
	}
	*place += n
}

func (a *adder) prepare() {
	if a.counts == nil {
		a.counts = new([2*int(distribution.Most) + 1]int64)
	}
}

// addDay adds the first notes, as many as have the same day, and returns how many
// those are.
func (a *adder) addDay(notes []note, large []record.Decimal) int {
	a.prepare()
	day := notes[0].day
	i := 0
	for i < len(notes) && notes[i].day == day {
		switch n := &notes[i]; {
		case n.kind == null:
			i++
		case n.kind == wide:
			price := &large[n.value]
			a.tally.Count++
			a.tally.addLarge(price)
			a.count(distribution.Of(price), 1)
			i++
		case n.few():
			i += a.addFew(notes[i:])
		default:
			size := uint64(max(n.value, -n.value))
			a.tally.Count++
			a.tally.small[n.scale].add(n.value, size)
			b := distribution.OfScale(n.scale).Bucket(size)
			if n.value < 0 {
				b = -b
			}
			a.count(b, 1)
			i++
		}
	}
	a.tally.Rows += int64(i)
	return i
}

// The squares of so many coefficients below so much fit a word.
const (
	fewLimit = 1 << 24
	fewRows  = 1 << 15
)

// few says that the coefficient of a small64 is below fewLimit.
func (n *note) few() bool { return uint64(n.value+fewLimit) <= 2*fewLimit }

// addFew adds the first notes, as many as are like the first of them: of its day
// and scale, and few. What comes most often costs least.
func (a *adder) addFew(notes []note) int {
	day, scale := notes[0].day, notes[0].scale
	buckets := distribution.OfScale(scale)
	s := &a.tally.small[scale]
	least, greatest := notes[0].value, notes[0].value
	var sum int64
	var squares uint64
	i := 0
	for ; i < len(notes) && i < fewRows; i++ {
		n := &notes[i]
		if n.day != day || n.scale != scale || n.kind != small64 || !n.few() {
			break
		}
		least, greatest = min(least, n.value), max(greatest, n.value)
		sum += n.value
		squares += uint64(n.value * n.value)
		b := buckets.Bucket(uint64(max(n.value, -n.value)))
		if n.value < 0 {
			b = -b
		}
		a.count(b, 1)
	}
	if s.count == 0 {
		s.min, s.max = least, greatest
	}
	s.min, s.max = min(s.min, least), max(s.max, greatest)
	s.count += int64(i)
	s.sum.add(int128{uint64(sum >> 63), uint64(sum)})
	s.squares.add(uint192{0, 0, squares})
	a.tally.Count += int64(i)
	return i
}

func (a *adder) merge(other *adder) {
	a.prepare()
	a.tally.Merge(&other.tally)
	for _, b := range other.touched {
		a.count(b, other.counts[int(b)+int(distribution.Most)])
	}
}

// take returns the group that was added up, and begins the next.
func (a *adder) take(key int32) Group {
	group := Group{Key: key, Rows: a.tally.Rows, Count: a.tally.Count, Sums: a.tally.Sums()}
	if size := len(a.touched) * distribution.CellSize; cap(a.room)-len(a.room) < size {
		a.room = make(distribution.Counts, 0, max(size, roomSize))
	}
	from := len(a.room)
	for _, b := range a.inOrder() {
		place := &a.counts[int(b)+int(distribution.Most)]
		a.room = a.room.Append(distribution.Cell{Bucket: b, Count: *place})
		*place = 0
	}
	group.Counts = a.room[from:len(a.room):len(a.room)]
	a.touched = a.touched[:0]
	a.tally = Tally{}
	return group
}

// sparse is for how many buckets, for each that was touched, looking at all
// between the least and the greatest is still faster than sorting.
const sparse = 8

// inOrder returns the touched buckets in order.
func (a *adder) inOrder() []distribution.Bucket {
	if len(a.touched) == 0 {
		return nil
	}
	least, greatest := slices.Min(a.touched), slices.Max(a.touched)
	if int(greatest)-int(least) > sparse*len(a.touched) {
		slices.Sort(a.touched)
		return a.touched
	}
	a.touched = a.touched[:0]
	for b := least; b <= greatest; b++ {
		if a.counts[int(b)+int(distribution.Most)] > 0 {
			a.touched = append(a.touched, b)
		}
	}
	return a.touched
}
