package commit

import (
	"encoding/binary"
	"testing"

	"github.com/streamgauge/streamgauge/shared/wire"
)

// FuzzSequences sets sequences in any order, and reads ranges, against a map.
// Each operation is 4 bytes: what to do, a batch's number, and a number more.
func FuzzSequences(f *testing.F) {
	f.Add([]byte{0, 1, 0, 7, 1, 1, 0, 2})
	f.Add([]byte{0, 255, 3, 9, 0, 1, 0, 8, 1, 0, 0, 255, 0, 1, 0, 6, 2, 1, 4, 4})
	f.Add([]byte{1, 0, 0, 0, 1, 255, 255, 255})
	f.Fuzz(func(t *testing.T, operations []byte) {
		sequences, err := NewSequences()
		if err != nil {
			t.Fatal(err)
		}
		defer sequences.Close()
		model := make(map[int64]uint64)
		for ; len(operations) >= 4; operations = operations[4:] {
			number := int64(binary.LittleEndian.Uint16(operations[1:])) + 1
			more := uint64(operations[3])
			if operations[0]%2 == 0 {
				// Sequences have 64 bits.
				sequence := more << (8 * (operations[0] / 2 % 8))
				if err := sequences.Set(number, sequence); err != nil {
					t.Fatal(err)
				}
				model[number] = sequence
				continue
			}
			visited, last := number, number+int64(more)*7
			err := sequences.Each(wire.Range{First: number, Last: last}, func(n int64, sequence uint64) bool {
				if n != visited || sequence != model[n] {
					t.Fatalf("batch %d has sequence %d, want batch %d, %d", n, sequence, visited, model[visited])
				}
				visited++
				return operations[0]%4 != 3 || n < number+3
			})
			if err != nil {
				t.Fatal(err)
			}
			if want := last + 1; operations[0]%4 != 3 && visited != want || operations[0]%4 == 3 && visited != min(want, number+4) {
				t.Fatalf("visited up to %d of %d to %d", visited-1, number, last)
			}
		}
	})
}
