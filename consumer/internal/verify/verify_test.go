package verify_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/consumer/internal/verify"
	"github.com/streamgauge/streamgauge/shared/record"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// file has rows on lines 2, 3 and 5, and a reject on line 4.
const file = "timestamp,price,user_id\n1/10/2012,50,9\n1/11/2012,,8\nno date,1,7\n1/12/2012,49.50,6\n"

// database has one load, and records of it in the order of their lines.
type database struct {
	loaded  store.Loaded
	records []store.Record
}

func (d *database) Records(_ context.Context, _, _ string, compare func(*store.Loaded, func() (*store.Record, error)) error) error {
	left := d.records
	return compare(&d.loaded, func() (*store.Record, error) {
		if len(left) == 0 {
			return nil, nil
		}
		r := &left[0]
		left = left[1:]
		return r, nil
	})
}

func identityOf(content string) string {
	digest := sha256.Sum256([]byte(content))
	return hex.EncodeToString(digest[:])
}

func rowOf(line int64, day int, price string, user int64) store.Record {
	r := store.Record{Line: line, Kind: store.KindRow, Timestamp: time.Date(2012, 1, day, 0, 0, 0, 0, time.UTC).UnixMicro(), UserID: user}
	if price != "" {
		r.Price = []byte(price)
	}
	return r
}

func rejectOf(line int64, raw string) store.Record {
	return store.Record{Line: line, Kind: store.KindReject, Raw: []byte(raw), Length: int64(len(raw))}
}

func correctionOf(line int64, raw, corrected string) store.Record {
	return store.Record{Line: line, Kind: store.KindCorrection, Raw: []byte(raw), Length: int64(len(raw)), Corrected: []byte(corrected)}
}

// stored is file as it should be in the database.
func stored() *database {
	d := &database{records: []store.Record{
		rowOf(2, 10, "50", 9), rowOf(3, 11, "", 8), rejectOf(4, "no date,1,7"), rowOf(5, 12, "49.50", 6),
	}}
	d.loaded.Source, d.loaded.Batches, d.loaded.Done, d.loaded.FirstLine = identityOf(file), 1, 1, 2
	d.loaded.Plan = wire.Plan{Format: record.Format{Delimiter: ",", Fields: 3, Price: 1, UserID: 2}, BatchSize: 5}
	d.loaded.Figures = store.Figures{Rows: 3, Rejected: 1, Count: 2, Nulls: 1, Sum: "99.50", Min: "49.5", Max: "50.0"}
	return d
}

func opener(contents ...string) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) {
		content := contents[0]
		if len(contents) > 1 {
			contents = contents[1:]
		}
		return io.NopCloser(strings.NewReader(content)), nil
	}
}

// TestRun: what is not the same is named by line, and by figure where that
// differs too.
func TestRun(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change    func(*database)
		lines     []verify.Difference
		figures   []string
		corrected []int64
	}{
		"the same": {change: func(*database) {}},
		"another price": {
			change: func(d *database) { d.records[0].Price = []byte("50.0") },
			lines:  []verify.Difference{{Line: 2, What: "price", File: "50", Database: "50.0"}},
		},
		"a price where there was none": {
			change: func(d *database) { d.records[1].Price = []byte("0") },
			lines:  []verify.Difference{{Line: 3, What: "price", File: "null", Database: "0"}},
		},
		"another time and user": {
			change: func(d *database) { d.records[3] = rowOf(5, 13, "49.50", 5) },
			lines: []verify.Difference{
				{Line: 5, What: "timestamp", File: "2012-01-12T00:00:00Z", Database: "2012-01-13T00:00:00Z"},
				{Line: 5, What: "user_id", File: "6", Database: "5"},
			},
		},
		"a row is lost": {
			change:  func(d *database) { d.records = d.records[:3]; d.loaded.Figures.Rows = 2 },
			lines:   []verify.Difference{{Line: 5, What: verify.Record, File: "a row", Database: "not there"}},
			figures: []string{"rows"},
		},
		"a row is there twice": {
			change: func(d *database) { d.records = append([]store.Record{d.records[0]}, d.records...) },
			lines:  []verify.Difference{{Line: 2, What: verify.Record, File: "once", Database: "again: a row"}},
		},
		"a row that the file does not have": {
			change: func(d *database) { d.records = append(d.records, rowOf(6, 12, "1", 1)) },
			lines:  []verify.Difference{{Line: 6, What: verify.Record, File: "not there", Database: "a row"}},
		},
		"a row for a reject": {
			change: func(d *database) { d.records[2] = rowOf(4, 12, "1", 7) },
			lines:  []verify.Difference{{Line: 4, What: verify.Record, File: "a reject", Database: "a row"}},
		},
		"other bytes of a reject": {
			change: func(d *database) { d.records[2] = rejectOf(4, "no date,1,8") },
			lines:  []verify.Difference{{Line: 4, What: verify.Raw, File: "no date,1,7", Database: "no date,1,8"}},
		},
		"a corrected reject": {
			change: func(d *database) {
				d.records = []store.Record{d.records[0], d.records[1], correctionOf(4, "no date,1,7", "1/11/2012,1,7"), rowOf(4, 11, "1", 7), d.records[3]}
				d.loaded.Figures = store.Figures{Rows: 4, Count: 3, Nulls: 1, Sum: "100.50", Min: "1", Max: "50"}
			},
			corrected: []int64{4},
		},
		"a correction whose row is another": {
			change: func(d *database) {
				d.records = []store.Record{d.records[0], d.records[1], correctionOf(4, "no date,1,7", "1/11/2012,1,7"), rowOf(4, 11, "2", 7), d.records[3]}
				d.loaded.Figures = store.Figures{Rows: 4, Count: 3, Nulls: 1, Sum: "101.50", Min: "2", Max: "50"}
			},
			lines:     []verify.Difference{{Line: 4, What: "price", File: "1", Database: "2"}},
			figures:   []string{"sum", "min"},
			corrected: []int64{4},
		},
		"a correction of a row": {
			change: func(d *database) {
				d.records = append([]store.Record{correctionOf(2, "x", "1/10/2012,50,9")}, d.records...)
			},
			lines: []verify.Difference{{Line: 2, What: verify.Record, File: "a row", Database: "a corrected reject"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := stored()
			test.change(d)
			got, err := verify.Run(t.Context(), "june.csv", opener(file), d, verify.Config{Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(append([]verify.Difference{}, test.lines...), got.Lines); diff != "" {
				t.Errorf("lines: want -, got +\n%s", diff)
			}
			if diff := cmp.Diff(append([]string{}, test.figures...), got.Differing); diff != "" {
				t.Errorf("figures: want -, got +\n%s", diff)
			}
			if diff := cmp.Diff(append([]int64{}, test.corrected...), got.CorrectedLines); diff != "" {
				t.Errorf("corrected: want -, got +\n%s", diff)
			}
			if same := len(test.lines) == 0 && len(test.figures) == 0; got.Same != same {
				t.Errorf("the same: %t", got.Same)
			}
		})
	}
}

func TestRunNamesNoMoreThanTheLimit(t *testing.T) {
	t.Parallel()
	d := stored()
	d.records = nil
	got, err := verify.Run(t.Context(), "june.csv", opener(file), d, verify.Config{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	if got.Different != 4 || len(got.Lines) != 1 || got.Lines[0].Line != 2 {
		t.Errorf("%d lines differ, named are %v", got.Different, got.Lines)
	}
}

func TestRunOfAnotherContent(t *testing.T) {
	t.Parallel()
	d := stored()
	d.loaded.Source, d.loaded.Batches = identityOf("another"), 3
	got, err := verify.Run(t.Context(), "june.csv", opener(file), d, verify.Config{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	if got.Same || !got.OtherContent || got.Missing != 2 || got.Content != identityOf(file) {
		t.Errorf("%+v", got)
	}
}

func TestRunWithAnotherLabel(t *testing.T) {
	t.Parallel()
	_, err := verify.Run(t.Context(), "june.csv", opener(file), stored(), verify.Config{Label: "again"})
	if label, ok := errors.AsType[*verify.LabelError](err); !ok || label.Label != "again" {
		t.Errorf("got %v", err)
	}
	labelled := stored()
	labelled.loaded.Source += "+again"
	if got, err := verify.Run(t.Context(), "june.csv", opener(file), labelled, verify.Config{Label: "again"}); err != nil || !got.Same {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestRunOfAChangingFile: of two contents neither is compared.
func TestRunOfAChangingFile(t *testing.T) {
	t.Parallel()
	_, err := verify.Run(t.Context(), "june.csv", opener(file, file+"1/13/2012,1,1\n"), stored(), verify.Config{})
	if err == nil || !strings.Contains(err.Error(), "it changed while it was read") {
		t.Errorf("got %v", err)
	}
}
