package expect

// step is one element of an alignment: what was expected beside what came.
// Either index is -1 where the other side has nothing to match it. A wildcard
// has a step of its own (got -1), and one for each element it takes in.
type step struct {
	expected, got int
	kind          kind
}

type kind int

const (
	same kind = iota
	elided
	changed
	missing
	added
)

// The costs of steps: what matches is free, so that an alignment without cost
// is a match.
const (
	costMissing = 6.0
	costAdded   = 3.0
)

// align finds the cheapest way to make n expected elements of m that came.
// wildcard says which expected ones take in any number of others; cost is what
// it takes to have one for the other, 0 if they are the same.
func align(n, m int, wildcard func(i int) bool, cost func(i, j int) float64) ([]step, float64) {
	// best[i][j] is the least cost of the expected from i on and those that came
	// from j on.
	best := make([][]float64, n+1)
	choice := make([][]step, n+1)
	for i := n; i >= 0; i-- {
		best[i], choice[i] = make([]float64, m+1), make([]step, m+1)
		for j := m; j >= 0; j-- {
			if i == n && j == m {
				continue
			}
			first := true
			take := func(total float64, s step) {
				if first || total < best[i][j] {
					best[i][j], choice[i][j], first = total, s, false
				}
			}
			switch {
			case i < n && wildcard(i):
				take(best[i+1][j], step{i, -1, elided})
				if j < m {
					take(best[i][j+1], step{-1, j, elided})
				}
				continue
			case i < n && j < m:
				c := cost(i, j)
				k := changed
				if c == 0 {
					k = same
				}
				take(c+best[i+1][j+1], step{i, j, k})
			}
			if i < n {
				take(costMissing+best[i+1][j], step{i, -1, missing})
			}
			if j < m {
				take(costAdded+best[i][j+1], step{-1, j, added})
			}
		}
	}
	var path []step
	for i, j := 0, 0; i < n || j < m; {
		s := choice[i][j]
		path = append(path, s)
		if s.expected >= 0 {
			i++
		}
		if s.got >= 0 {
			j++
		}
	}
	return path, best[0][0]
}
