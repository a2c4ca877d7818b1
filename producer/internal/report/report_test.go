package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

func printed(t *testing.T, f *File, asJSON bool) string {
	t.Helper()
	var out bytes.Buffer
	if err := (&Printer{Out: &out, JSON: asJSON}).File(f); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestSummaries(t *testing.T) {
	for name, c := range map[string]struct {
		file File
		want string
	}{
		"committed":       {File{State: Committed, Records: 22, Batches: 1, New: new(int64(22)), Loaded: new(int64(0)), Rows: new(int64(22)), Rejected: new(int64(0))}, "a.csv: 22 new, 0 already loaded, 1 batch, committed: 22 rows, 0 rejected\n"},
		"loaded already":  {File{State: Committed, Records: 22, Batches: 1, New: new(int64(0)), Loaded: new(int64(22)), Rows: new(int64(21)), Rejected: new(int64(1))}, "a.csv: 0 new, 22 already loaded, 1 batch, committed: 21 rows, 1 rejected\n"},
		"never answered":  {File{State: Committed, Records: 22, Batches: 3, Rows: new(int64(22)), Rejected: new(int64(0))}, "a.csv: 22 sent, 3 batches, committed: 22 rows, 0 rejected\n"},
		"queued":          {File{State: Queued, Records: 22, Batches: 3, New: new(int64(12)), Loaded: new(int64(10))}, "a.csv: 12 new, 10 already loaded, 3 batches, queued\n"},
		"queued, unasked": {File{State: Queued, Records: 22, Batches: 3}, "a.csv: 22 sent, 3 batches, queued\n"},
		"empty":           {File{State: Empty}, "a.csv: 0 records\n"},
		"checked":         {File{State: Checked, Source: "ab12", Records: 1, Batches: 1, Rows: new(int64(1)), Rejected: new(int64(0))}, "a.csv: 1 record, 1 row, 0 rejected, 1 batch, nothing sent, id ab12\n"},
		"dead":            {File{State: Dead, Records: 30, Batches: 3, New: new(int64(30)), Loaded: new(int64(0)), Rows: new(int64(19)), Rejected: new(int64(1))}, "a.csv: 30 new, 0 already loaded, 3 batches, committed: 19 rows, 1 rejected, 10 in dead batches\n"},
		"failed":          {File{State: Failed, Error: "told elsewhere"}, ""},
		"hostile name":    {File{Name: "\x1b[2J\n", State: Empty}, `"\x1b[2J\n": 0 records` + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.file.Name == "" {
				c.file.Name = "a.csv"
			}
			if diff := cmp.Diff(c.want, printed(t, &c.file, false)); diff != "" {
				t.Errorf("summary (-want +got):\n%s", diff)
			}
		})
	}
}

func TestJSON(t *testing.T) {
	f := &File{
		Name: "a<b>\u009b\U000e0001.csv", Source: "ab12", State: Committed, Records: 2, Batches: 1, New: new(int64(2)), Loaded: new(int64(0)), Rows: new(int64(1)), Rejected: new(int64(1)),
		Rejects: []Reject{{Line: 3, Column: "price", Reason: "not a number", Raw: "x\xff\x1b[2J\u202e"}},
	}
	line := printed(t, f, true)
	want := `{"file":"a<b>\u009b\udb40\udc01.csv","source":"ab12","state":"committed","records":2,"batches":1,"new":2,"already_loaded":0,"rows":1,"rejected":1,` +
		`"rejects":[{"line":3,"column":"price","reason":"not a number","raw":"x\ufffd\u001b[2J\u202e"}]}` + "\n"
	if diff := cmp.Diff(want, line); diff != "" {
		t.Errorf("line (-want +got):\n%s", diff)
	}
	for _, r := range strings.TrimSuffix(line, "\n") {
		if !unicode.IsPrint(r) {
			t.Errorf("%U is not escaped", r)
		}
	}
	var back File
	if err := json.Unmarshal([]byte(line), &back); err != nil || back.Name != f.Name {
		t.Errorf("the name comes back as %q, %v", back.Name, err)
	}
	if got := printed(t, &File{Name: "a", State: Queued}, true); !strings.Contains(got, `"new":null,"already_loaded":null,"rows":null,"rejected":null`) {
		t.Errorf("what is unknown is not null: %s", got)
	}
}

func TestRejectLines(t *testing.T) {
	f := &File{Name: "a.csv", Rejected: new(int64(9)), Hints: []string{"try this"}, Rejects: []Reject{
		{Line: 3, Column: "price", Value: new("\x1b[2J\n"), Reason: "not a number", Raw: "1,\x1b[2J\n,2"},
		{Line: 4, Column: "price", Reason: "not a number", Raw: "of this there is more"},
		{Line: 5, Column: "user_id", Value: new(""), Reason: "user_id is empty", Raw: "1,2,"},
		{Line: 6, Reason: "fewer fields", Raw: "1,2", Fields: 2, Columns: 3},
		{Line: 9, Reason: "fewer fields", Raw: strings.Repeat("x", 200)},
	}}
	want := []string{
		`a.csv:3: price "\x1b[2J\n": not a number, in "1,\x1b[2J\n,2"`,
		`a.csv:4: price: not a number, in "of this there is more"`,
		`a.csv:5: user_id is empty, in "1,2,"`,
		`a.csv:6: fewer fields (2, not 3): "1,2"`,
		`a.csv:9: fewer fields: "` + strings.Repeat("x", 80) + `"…`,
		"a.csv: 4 more rejected",
		"a.csv: try this",
	}
	if diff := cmp.Diff(want, f.RejectLines()); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if lines := (&File{Rejected: new(int64(0))}).RejectLines(); len(lines) > 0 {
		t.Errorf("lines without a reject: %q", lines)
	}
}
