package gen

import (
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// committed is where the repository keeps the samples.
const committed = "../data"

// figures are what PostgreSQL answers about a set of rows.
type figures struct {
	Rows, Count, Nulls, Sum int64
	Min, Max                int64
	Mean                    string // the text of avg(price)
}

// golden figures of the samples, as the documentation prints them.
var golden = map[string]figures{
	"2012-1.csv":     {22, 20, 2, 1098, 14, 90, "54.9000000000000000"},
	"2012-2.csv":     {29, 29, 0, 1630, 14, 96, "56.2068965517241379"},
	"2012-3.csv":     {31, 30, 1, 1402, 10, 100, "46.7333333333333333"},
	"2012-4.csv":     {30, 29, 1, 1656, 19, 99, "57.1034482758620690"},
	"2012-5.csv":     {31, 29, 2, 1626, 11, 99, "56.0689655172413793"},
	"validation.csv": {8, 7, 1, 244, 14, 66, "34.8571428571428571"},
	"five months":    {143, 137, 6, 7412, 10, 100, "54.1021897810218978"},
	"all":            {151, 144, 7, 7656, 10, 100, "53.1666666666666667"},
}

func TestCommittedSamplesAreTheGenerators(t *testing.T) {
	dir := t.TempDir()
	paths, err := WriteSamples(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		name := filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			made, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			kept, err := os.ReadFile(filepath.Join(committed, name))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(kept), string(made)); diff != "" {
				t.Errorf("committed (-) is not what the generator makes (+):\n%s", diff)
			}
		})
	}
	list, err := os.ReadDir(committed)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != len(paths) {
		t.Errorf("%d files are committed, %d are generated", len(list), len(paths))
	}
}

func TestGoldenFigures(t *testing.T) {
	rows := map[string][][]string{}
	for _, s := range Samples() {
		b, err := os.ReadFile(filepath.Join(committed, s.Name))
		if err != nil {
			t.Fatal(err)
		}
		_, r := table(t, b)
		rows[s.Name] = r
		rows["all"] = append(rows["all"], r...)
		if s.Name != "validation.csv" {
			rows["five months"] = append(rows["five months"], r...)
		}
	}
	got := map[string]figures{}
	for name, r := range rows {
		got[name] = figure(t, r)
	}
	if diff := cmp.Diff(golden, got); diff != "" {
		t.Errorf("golden (-), computed (+):\n%s", diff)
	}
}

func figure(t *testing.T, rows [][]string) figures {
	t.Helper()
	var f figures
	sum := new(big.Int)
	for _, r := range rows {
		f.Rows++
		if r[1] == "" {
			f.Nulls++
			continue
		}
		p, ok := new(big.Int).SetString(r[1], 10)
		if !ok {
			t.Fatalf("price %q", r[1])
		}
		sum.Add(sum, p)
		if f.Count == 0 || p.Int64() < f.Min {
			f.Min = p.Int64()
		}
		f.Max = max(f.Max, p.Int64())
		f.Count++
	}
	f.Sum = sum.Int64()
	f.Mean = mean(f.Sum, f.Count)
	return f
}

// mean divides as PostgreSQL's numeric does: rounded half away from zero, to
// as many places as give at least 16 significant digits, counted in groups of
// four (select_div_scale in its numeric.c; both arguments are whole here).
func mean(sum, count int64) string {
	group := func(n int64) (weight int, first int64) {
		for ; n >= 10_000; n /= 10_000 {
			weight++
		}
		return weight, n
	}
	w1, f1 := group(sum)
	w2, f2 := group(count)
	weight := w1 - w2
	if f1 <= f2 {
		weight--
	}
	return big.NewRat(sum, count).FloatString(max(0, 16-4*weight))
}

// The rule above, on averages that PostgreSQL has printed.
func TestMean(t *testing.T) {
	for _, c := range []struct {
		sum, count int64
		want       string
	}{
		{8046, 139, "57.8848920863309353"},
		{8380, 147, "57.0068027210884354"},
		{1, 3, "0.33333333333333333333"},
		{10, 2, "5.0000000000000000"},
		{123456789, 7, "17636684.142857142857"},
	} {
		if got := mean(c.sum, c.count); got != c.want {
			t.Errorf("%d / %d = %s, want %s", c.sum, c.count, got, c.want)
		}
	}
}
