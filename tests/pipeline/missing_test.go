package pipeline

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/shared/topology"
	"github.com/streamgauge/streamgauge/shared/wire"
	"github.com/streamgauge/streamgauge/tests/harness"
)

// TestMissing: which batches a ledger lacks is answered with each gap, whole and in
// order, however many numbers there are and wherever it lies.
func TestMissing(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	env := harness.New(t)
	env.StartConsumer(t)
	for i, c := range []struct {
		batches int64
		lacks   func(batch int64) bool
	}{
		{1, func(int64) bool { return true }},
		{3000, func(int64) bool { return true }},
		{3000, func(batch int64) bool { return batch == 1 }},
		{3000, func(batch int64) bool { return batch == 3000 }},
		{3000, func(batch int64) bool { return batch >= 1000 && batch <= 2001 }},
		{3000, func(batch int64) bool { return batch <= 1500 }},
		{3000, func(batch int64) bool { return batch > 2000 }},
		{4321, func(int64) bool { return random.IntN(1000) == 0 }},
		{4321, func(int64) bool { return random.IntN(2) == 0 }},
		{1 << 40, func(batch int64) bool { return batch%1000 == 0 || batch > 5000 && batch < 1<<40 }},
	} {
		for _, most := range []int{1, 3, 10_000} {
			source := fmt.Sprintf("%064x", 1000*i+most)
			held := make([]int64, 0, 5000)
			var want []wire.Range
			for batch := int64(1); batch <= c.batches; batch++ {
				if batch == 6000 && c.batches > 6000 {
					want[len(want)-1].Last = c.batches - 1
					batch = c.batches
				}
				switch last := len(want) - 1; {
				case !c.lacks(batch):
					held = append(held, batch)
				case last >= 0 && want[last].Last == batch-1:
					want[last].Last = batch
				default:
					want = append(want, wire.Range{First: batch, Last: batch})
				}
			}
			env.Rows(t, `WITH added AS (INSERT INTO sources (identity, name, claims_name, size, plan, batches, done)
					VALUES ($1, $1, false, 1, '{}', $2, cardinality($3::bigint[])) RETURNING source_id)
				INSERT INTO batches (source_id, batch, first_line, records)
				SELECT source_id, batch, 1, 1 FROM added, unnest($3::bigint[]) AS batch RETURNING batch`, source, c.batches, held)
			more := len(want) > most
			want = want[:min(len(want), most)]
			l := askLoad(t, env, wire.LoadRequest{Source: source, Missing: most})
			if diff := cmp.Diff(want, l.Missing); diff != "" || l.MissingMore != more {
				t.Errorf("case %d, %d at most: more %t, want %t; want -, got +\n%s", i, most, l.MissingMore, more, diff)
			}
		}
	}
}

func askLoad(t *testing.T, env *harness.Env, request wire.LoadRequest) *wire.Load {
	t.Helper()
	question, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := env.Conn(t).Request(topology.SubjectLoad, question, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	var reply wire.LoadReply
	if err := json.Unmarshal(answer.Data, &reply); err != nil || reply.Load == nil {
		t.Fatalf("%s: %v", answer.Data, err)
	}
	return reply.Load
}
