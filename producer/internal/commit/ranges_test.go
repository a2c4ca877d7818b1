package commit

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/streamgauge/streamgauge/shared/wire"
)

func setOf(t *rapid.T, label string) map[int64]bool {
	set := make(map[int64]bool)
	for _, n := range rapid.SliceOf(rapid.Int64Range(1, 40)).Draw(t, label) {
		set[n] = true
	}
	return set
}

func sorted(set map[int64]bool) []int64 {
	var list []int64
	for n := int64(1); n <= 40; n++ {
		if set[n] {
			list = append(list, n)
		}
	}
	return list
}

func numbers(r ranges) []int64 {
	var list []int64
	for _, one := range r {
		for n := one.First; n <= one.Last; n++ {
			list = append(list, n)
		}
	}
	return list
}

// Ranges do what sets do.
func TestRangesAreSets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := setOf(t, "a"), setOf(t, "b")
		ra, rb := of(sorted(a)), of(sorted(b))
		both, without := make(map[int64]bool), make(map[int64]bool)
		for n := range a {
			both[n], without[n] = b[n], !b[n]
		}
		if diff := cmp.Diff(sorted(both), numbers(ra.intersect(rb))); diff != "" {
			t.Errorf("both (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(sorted(without), numbers(ra.without(sorted(b)))); diff != "" {
			t.Errorf("without (-want +got):\n%s", diff)
		}
		if ra.count() != int64(len(a)) {
			t.Errorf("count %d, want %d", ra.count(), len(a))
		}
		for n := int64(1); n <= 40; n++ {
			if ra.has(n) != a[n] {
				t.Errorf("has(%d) = %v", n, ra.has(n))
			}
		}
	})
}

func TestSequences(t *testing.T) {
	s, err := NewSequences()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	want := make(map[int64]uint64)
	for number := int64(1); number <= 3000; number += 7 {
		want[number] = uint64(number) * 1e15
		if err := s.Set(number, want[number]); err != nil {
			t.Fatal(err)
		}
	}
	next := int64(2)
	err = s.Each(wire.Range{First: 2, Last: 4000}, func(number int64, sequence uint64) bool {
		if number != next || sequence != want[number] {
			t.Fatalf("batch %d has sequence %d, want %d of batch %d", number, sequence, want[next], next)
		}
		next++
		return true
	})
	if err != nil || next != 4001 {
		t.Errorf("ended before %d, %v", next, err)
	}
	calls := 0
	if err := s.Each(wire.Range{First: 1, Last: 100}, func(int64, uint64) bool { calls++; return calls < 3 }); err != nil || calls != 3 {
		t.Errorf("%d calls, %v", calls, err)
	}
}
