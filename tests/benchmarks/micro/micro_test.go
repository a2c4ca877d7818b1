package micro

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/tests/benchmarks/result"
)

func TestParse(t *testing.T) {
	have, err := parse([]byte(`goos: linux
pkg: github.com/streamgauge/streamgauge/shared/record
cpu: Some
BenchmarkCut/plain         	    4642	     300 ns/op	 144.72 MB/s	   9648078 rows/s	       0 B/op	       0 allocs/op
BenchmarkCut/plain         	    4642	     100 ns/op	 146.72 MB/s	   9648080 rows/s	       0 B/op	       0 allocs/op
PASS
ok  	github.com/streamgauge/streamgauge/shared/record	7.283s
?   	github.com/streamgauge/streamgauge/shared/stats	[no test files]
pkg: github.com/streamgauge/streamgauge/shared/wire
BenchmarkEncode 	   32192	      7398.5 ns/op
PASS
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []result.Micro{
		{Package: "shared/record", Name: "Cut/plain", Medians: map[string]float64{
			"ns/op": 200, "MB/s": 145.72, "rows/s": 9648079, "B/op": 0, "allocs/op": 0,
		}},
		{Package: "shared/wire", Name: "Encode", Medians: map[string]float64{"ns/op": 7398.5}},
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
