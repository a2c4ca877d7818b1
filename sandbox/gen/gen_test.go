package gen

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func generate(t *testing.T, cfg Config) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(t.Context(), &b, cfg); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// table reads a file as any CSV reader would.
func table(t *testing.T, b []byte) (head []string, rows [][]string) {
	t.Helper()
	all, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all[0], all[1:]
}

func TestRows(t *testing.T) {
	for _, n := range []int64{0, 1, 22, 366, 367, 1000, 12_345} {
		t.Run(strconv.FormatInt(n, 10), func(t *testing.T) {
			b := generate(t, Config{Rows: n, Seed: 1})
			if n > 0 && bytes.HasSuffix(b, []byte("\n")) {
				t.Error("ends with a newline")
			}
			if n == 0 && string(b) != "timestamp,price,user_id\n" {
				t.Errorf("got %q", b)
			}
			head, rows := table(t, b)
			if diff := cmp.Diff([]string{"timestamp", "price", "user_id"}, head); diff != "" {
				t.Error(diff)
			}
			if int64(len(rows)) != n {
				t.Fatalf("%d rows", len(rows))
			}
			first := time.Date(2012, 1, 10, 0, 0, 0, 0, time.UTC)
			var last time.Time
			empty := 0
			for i, r := range rows {
				day, err := time.Parse("1/2/2006", r[0])
				if err != nil || strings.Contains(r[0], "/0") || r[0][0] == '0' {
					t.Fatalf("row %d: date %q: %v", i, r[0], err)
				}
				if n <= 366 && !day.Equal(first.AddDate(0, 0, i)) {
					t.Fatalf("row %d: %s is not a day after the one before", i, r[0])
				}
				if day.Before(last) || day.After(first.AddDate(1, 0, 0)) {
					t.Fatalf("row %d: %s is out of order or too late", i, r[0])
				}
				last = day
				if r[1] == "" {
					empty++
				} else if p, err := strconv.Atoi(r[1]); err != nil || p < 10 || p > 100 {
					t.Fatalf("row %d: price %q", i, r[1])
				}
				if u, err := strconv.Atoi(r[2]); err != nil || u < 1 || u > 10 {
					t.Fatalf("row %d: user %q", i, r[2])
				}
			}
			if n > 1000 && (empty < int(n)/48 || empty > int(n)/24) {
				t.Errorf("%d of %d prices are empty, want about one in 32", empty, n)
			}
		})
	}
}

func TestEveryValueOccurs(t *testing.T) {
	_, rows := table(t, generate(t, Config{Rows: 20_000, Seed: 3}))
	prices, ids := map[string]int{}, map[string]int{}
	for _, r := range rows {
		prices[r[1]]++
		ids[r[2]]++
	}
	for p := 10; p <= 100; p++ {
		if prices[strconv.Itoa(p)] == 0 {
			t.Errorf("price %d never occurs", p)
		}
	}
	for u := 1; u <= 10; u++ {
		if n := ids[strconv.Itoa(u)]; n < 1600 || n > 2400 {
			t.Errorf("user %d occurs %d times, want about 2000", u, n)
		}
	}
}

func TestSeed(t *testing.T) {
	a, again, b := generate(t, Config{Rows: 5000, Seed: 1}), generate(t, Config{Rows: 5000, Seed: 1}), generate(t, Config{Rows: 5000, Seed: 2})
	if !bytes.Equal(a, again) {
		t.Error("the same seed gave another file")
	}
	_, left := table(t, a)
	_, right := table(t, b)
	same := 0
	for i := range left {
		if left[i][1] == right[i][1] {
			same++
		}
	}
	if same > 150 { // one in 91 by chance: 55
		t.Errorf("%d of 5000 prices are the same with the next seed", same)
	}
}

// lastOf must neither overflow nor lose a row in files beyond any disk.
func TestDaysOfHugeFiles(t *testing.T) {
	for _, rows := range []int64{367, 1e9, math.MaxInt64} {
		var before int64
		for day := range int64(maxDays) {
			end := lastOf(day, maxDays, rows)
			if end < before {
				t.Fatalf("%d rows: day %d ends at %d, the one before at %d", rows, day, end, before)
			}
			before = end
		}
		if before != rows {
			t.Errorf("%d rows: the last day ends at %d", rows, before)
		}
	}
}

func TestWriteStops(t *testing.T) {
	t.Run("when the context is done", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		w := writerFunc(func(b []byte) (int, error) { cancel(); return len(b), nil })
		if err := Write(ctx, w, Config{Rows: 1 << 40}); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("when the writer fails", func(t *testing.T) {
		w := writerFunc(func([]byte) (int, error) { return 0, io.ErrClosedPipe })
		if err := Write(t.Context(), w, Config{Rows: 1 << 40}); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("and leaves the file as it was", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "a.csv")
		if err := os.WriteFile(path, []byte("before"), 0o600); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := WriteFile(ctx, path, Config{Rows: 1e6}); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if b, _ := os.ReadFile(path); string(b) != "before" {
			t.Errorf("holds %d bytes", len(b))
		}
		if names, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*.csv-*")); len(names) > 0 {
			t.Errorf("left %v", names)
		}
	})
	t.Run("when rows are negative", func(t *testing.T) {
		if err := Write(t.Context(), io.Discard, Config{Rows: -1}); err == nil {
			t.Error("accepted")
		}
	})
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func TestMemoryIsBounded(t *testing.T) {
	allocs := testing.AllocsPerRun(1, func() {
		if err := Write(t.Context(), io.Discard, Config{Rows: 3_000_000}); err != nil {
			t.Error(err)
		}
	})
	if allocs > 2000 { // a few a day
		t.Errorf("%v allocations for 3 million rows", allocs)
	}
}

func BenchmarkWrite(b *testing.B) {
	const rows = 1_000_000
	for b.Loop() {
		if err := Write(b.Context(), io.Discard, Config{Rows: rows, Seed: 1}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*rows/b.Elapsed().Seconds()/1e6, "Mrows/s")
}

func ExampleWrite() {
	_ = Write(context.Background(), os.Stdout, Config{Rows: 3, Seed: 1})
	fmt.Println()
	// Output:
	// timestamp,price,user_id
	// 1/10/2012,19,10
	// 1/11/2012,35,8
	// 1/12/2012,28,9
}
