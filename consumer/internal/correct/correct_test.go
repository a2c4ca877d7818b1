package correct

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/shared/stats"
)

// away is a database that knows the source and takes no correction.
type away struct {
	known

	asked int
}

var errAway = errors.New("away")

func (a *away) Correct(context.Context, []store.Correction) ([]bool, *stats.Snapshot, error) {
	a.asked++
	return nil, nil, errAway
}

// Whoever has waited for the database to come back has it told once, and does not
// wait for it again.
func TestReplayGivesUpOnce(t *testing.T) {
	for name, records := range map[string]int{"one transaction": 3, "several": atOnce + 3} {
		t.Run(name, func(t *testing.T) {
			list := "source,line,record\n" + strings.Repeat("a,3,\"1/10/2012,50,9\"\n", records)
			var database away
			err := Replay(t.Context(), strings.NewReader(list), &database, func(*Outcome) error { return nil })
			if !errors.Is(err, errAway) || strings.Count(err.Error(), errAway.Error()) != 1 || database.asked != 1 {
				t.Errorf("asked %d times: %v", database.asked, err)
			}
		})
	}
}
