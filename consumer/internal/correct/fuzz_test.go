package correct

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/shared/record"
	"github.com/streamgauge/streamgauge/shared/stats"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// known has one source, called a, and takes every correction.
type known struct{ corrections []store.Correction }

var errUnknown = errors.New("no such source")

func (k *known) Find(_ context.Context, given string) (*wire.Load, error) {
	if given != "a" {
		return nil, errUnknown
	}
	return &wire.Load{Source: "a", Name: "a.csv", Plan: wire.Plan{Format: record.Format{Delimiter: ",", Fields: 3, Price: 1, UserID: 2}, BatchSize: 5}}, nil
}

func (k *known) Correct(_ context.Context, corrections []store.Correction) ([]bool, *stats.Snapshot, error) {
	k.corrections = append(k.corrections, corrections...)
	applied := make([]bool, len(corrections))
	for i := range applied {
		applied[i] = true
	}
	return applied, new(stats.Snapshot), nil
}

// A list that people have had in their hands brings about only rows that its
// records are, one for each line that is told as corrected.
func FuzzReplay(f *testing.F) {
	for _, seed := range []string{
		"source,name,line,column,reason,record\na,a.csv,3,price,no number,\"1/10/2012,50,9\"\n",
		"source,line,record\na,3,\"1/10/2012,fifty,9\"\na,4,\"1/10/2012,,9\n\"\n",
		"\ufeffRecord,LINE,Source\n\"1/10/2012,1,1\n1/10/2012,2,2\", 7 ,a\n",
		"source,line,record\na,x,\"1/1/2012,1,1\"\n", "source,line,record\nb,1,x\n", "source,line,record\na,1,\"x\n", "", "a\n",
		"source,line,record\na,5,\"1/10/2012,1,1\r\"\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, list []byte) {
		var database known
		corrected := 0
		err := Replay(t.Context(), bytes.NewReader(list), &database, func(o *Outcome) error {
			switch {
			case o.State == Corrected && o.Reason == "":
				corrected++
			case o.State != StillWrong || o.Reason == "":
				t.Errorf("outcome %+v", o)
			}
			return nil
		})
		if err != nil && strings.IndexFunc(err.Error(), unicode.IsControl) >= 0 {
			t.Errorf("the error holds control characters: %q", err)
		}
		if corrected != len(database.corrections) {
			t.Errorf("%d corrections told, %d made", corrected, len(database.corrections))
		}
		load, _ := database.Find(t.Context(), "a")
		parser, err := record.NewParser(load.Plan.Format)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range database.corrections {
			// Behind another record and before one, it is one itself.
			around := []byte("1/1/2012,0,0\n")
			cutter := record.NewBodyCutter(bytes.Join([][]byte{around, c.Record, []byte("\n"), around}, nil), ',', c.Line-1)
			var rows []record.Row
			for {
				rec, err := cutter.Next()
				if errors.Is(err, io.EOF) {
					break
				}
				row, reject := parser.Parse(rec)
				if err != nil || reject != nil {
					t.Fatalf("%q is no row beside others: %v %v", c.Record, err, reject)
				}
				rows = append(rows, row)
			}
			if len(rows) != 3 {
				t.Fatalf("%q is %d rows beside two others", c.Record, len(rows)-2)
			}
			want := rows[1]
			want.Line = c.Line
			if diff := cmp.Diff(want, c.Row, cmp.AllowUnexported(record.Row{})); diff != "" {
				t.Errorf("%q (-beside others +by itself):\n%s", c.Record, diff)
			}
		}
	})
}
