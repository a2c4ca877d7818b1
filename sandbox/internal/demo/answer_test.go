package demo

import (
	"testing"

	"github.com/streamgauge/streamgauge/shared/stats"
)

func TestEqual(t *testing.T) {
	table := answer{"3", "2", "1.5000000000000000", "1", "2"}
	for _, c := range []struct {
		name  string
		other answer
		want  bool
	}{
		{"the same", table, true},
		{"minimum and maximum of another scale", answer{"3", "2", "1.5000000000000000", "1.00", "2.0"}, true},
		{"mean of another scale", answer{"3", "2", "1.500000000000000", "1", "2"}, false},
		{"mean of another last digit", answer{"3", "2", "1.5000000000000001", "1", "2"}, false},
		{"another number of rows", answer{"4", "2", "1.5000000000000000", "1", "2"}, false},
		{"another number of prices", answer{"3", "3", "1.5000000000000000", "1", "2"}, false},
		{"another minimum", answer{"3", "2", "1.5000000000000000", "0", "2"}, false},
		{"another maximum", answer{"3", "2", "1.5000000000000000", "1", "3"}, false},
		{"null", answer{"3", "2", "1.5000000000000000", "", "2"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if table.equal(c.other) != c.want || c.other.equal(table) != c.want {
				t.Errorf("want %t", c.want)
			}
		})
	}
	t.Run("an empty table", func(t *testing.T) {
		if !(answer{"0", "0", "", "", ""}).equal(running(stats.Snapshot{})) {
			t.Error("differs from empty statistics")
		}
	})
}
