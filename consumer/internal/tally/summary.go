package tally

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"sync"

	"github.com/streamgauge/streamgauge/consumer/internal/distribution"
)

// Part is the sheets of one source.
type Part struct {
	SourceID int32
	Sheets   []*Sheet
}

// Group is what some rows add up to.
type Group struct {
	// Key is a source's id, or a day counted from 1 January 1970 in UTC.
	Key         int32
	Rows, Count int64
	Sums

	Counts distribution.Counts
}

// Summary is what the rows of a transaction add up to.
type Summary struct {
	Total Group
	// First and Last are the least and greatest timestamp, as in Sheet.
	First, Last int64
	// Sources and Days are those with rows, in the order of their keys.
	Sources, Days []Group
}

// Summarize adds up the rows of parts, which are in the order of their ids. It is
// safe for concurrent use, as long as nobody writes to the sheets.
func Summarize(parts []Part) *Summary {
	var summary Summary
	for _, part := range parts {
		for _, sheet := range part.Sheets {
			if sheet.Rows == 0 {
				continue
			}
			if summary.Total.Rows == 0 {
				summary.First, summary.Last = sheet.First, sheet.Last
			}
			summary.First, summary.Last = min(summary.First, sheet.First), max(summary.Last, sheet.Last)
			summary.Total.Rows += sheet.Rows
		}
	}
	s, used := scratches.Get().(*scratch)
	if !used {
		s = new(scratch)
	}
	defer scratches.Put(s)
	summary.Days = s.days(parts)
	summary.Total = s.all.take(0)
	summary.Sources = s.sources(parts, &summary.Total)
	return &summary
}

// days adds up the rows of each day, and all of them.
func (s *scratch) days(parts []Part) []Group {
	var days []Group
	var day int32
	end := func() {
		if s.part.tally.Rows > 0 {
			s.all.merge(&s.part)
			days = append(days, s.part.take(day))
		}
	}
	for sheet := range s.byDay(parts) {
		for notes := sheet.notes; len(notes) > 0; {
			if notes[0].day != day {
				end()
				day = notes[0].day
			}
			notes = notes[s.part.addDay(notes, sheet.wide):]
		}
	}
	end()
	return days
}

// sources adds up the rows of each part. Of a single one that is done.
func (s *scratch) sources(parts []Part, total *Group) []Group {
	groups := make([]Group, 0, len(parts))
	for _, part := range parts {
		group := *total
		group.Key = part.SourceID
		if len(parts) > 1 {
			for _, sheet := range part.Sheets {
				for notes := sheet.notes; len(notes) > 0; {
					notes = notes[s.part.addDay(notes, sheet.wide):]
				}
			}
			group = s.part.take(part.SourceID)
		}
		if group.Rows > 0 {
			groups = append(groups, group)
		}
	}
	return groups
}

// scratch is room to add up in, used again and again.
type scratch struct {
	gathered  Sheet
	sorted    []note
	starts    []int32
	part, all adder
}

var scratches sync.Pool // of *scratch

// byDay goes through sheets whose notes are in the order of their days: those of
// parts, which mostly are, or else one that has them all.
func (s *scratch) byDay(parts []Part) iter.Seq[*Sheet] {
	return func(yield func(*Sheet) bool) {
		if !ordered(parts) {
			s.gather(parts)
			s.gathered.notes, s.sorted = s.sort(s.gathered.notes)
			yield(&s.gathered)
			return
		}
		for _, part := range parts {
			for _, sheet := range part.Sheets {
				if !yield(sheet) {
					return
				}
			}
		}
	}
}

func ordered(parts []Part) bool {
	last := int32(math.MinInt32)
	for _, part := range parts {
		for _, sheet := range part.Sheets {
			if len(sheet.notes) == 0 {
				continue
			}
			if sheet.unordered || sheet.notes[0].day < last {
				return false
			}
			last = sheet.day
		}
	}
	return true
}

func (s *scratch) gather(parts []Part) {
	notes, prices := s.gathered.notes[:0], s.gathered.wide[:0]
	for _, part := range parts {
		for _, sheet := range part.Sheets {
			from, shift := len(notes), int64(len(prices))
			notes = append(notes, sheet.notes...)
			if len(sheet.wide) == 0 {
				continue
			}
			prices = append(prices, sheet.wide...)
			for i := from; i < len(notes); i++ {
				if notes[i].kind == wide {
					notes[i].value += shift
				}
			}
		}
	}
	s.gathered.notes, s.gathered.wide = notes, prices
}

// spread is how many days, for each row, are still counted through: beyond,
// comparing is faster.
const spread = 4

// sort returns the notes in the order of their days, and room that is free.
func (s *scratch) sort(notes []note) (sorted, free []note) {
	first, last := notes[0].day, notes[0].day
	for i := range notes {
		first, last = min(first, notes[i].day), max(last, notes[i].day)
	}
	days := int64(last) - int64(first) + 1
	if days > spread*int64(len(notes)) {
		slices.SortFunc(notes, func(a, b note) int { return cmp.Compare(a.day, b.day) })
		return notes, s.sorted
	}
	s.starts = append(s.starts[:0], make([]int32, days+1)...)
	starts := s.starts
	for i := range notes {
		starts[notes[i].day-first+1]++
	}
	for i := 1; i < len(starts); i++ {
		starts[i] += starts[i-1]
	}
	sorted = slices.Grow(s.sorted[:0], len(notes))[:len(notes)]
	for i := range notes {
		start := &starts[notes[i].day-first]
		sorted[*start] = notes[i]
		*start++
	}
	return sorted, notes
}
