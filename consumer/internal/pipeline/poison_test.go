package pipeline

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamgauge/streamgauge/consumer/internal/store"
)

// A poison message keeps the others of its transaction waiting for as long as that
// takes once more, and for being set aside: wherever it is among them.
func TestPoisonDelaysTheOthersByOneTransaction(t *testing.T) {
	const n, each = 10, 100 * time.Millisecond
	took := func(poison int64) (acked []time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			messages := batches(t, n)
			l := newLedger()
			l.poison = map[int64]bool{poison: true}
			l.before = func(batches []*store.Batch, dead []*store.Dead) error {
				<-time.After(time.Duration(len(batches)+len(dead)) * each)
				return nil
			}
			began := time.Now()
			if _, err := runOne(t, messages, l); err != nil {
				t.Fatal(err)
			}
			expectFate(t, messages, 1, 0)
			for _, m := range messages {
				acked = append(acked, m.answeredAt.Sub(began))
			}
		})
		return acked
	}
	usual := took(0)
	for poison := int64(1); poison <= n; poison++ {
		for i, at := range took(poison) {
			if by := at - usual[i]; by > n*each+each && int64(i+1) != poison {
				t.Errorf("batch %d is poison: batch %d was acknowledged %s later", poison, i+1, by)
			}
		}
	}
}
