package record

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestSplitFields(t *testing.T) {
	for _, test := range []struct {
		name   string
		raw    string
		want   []string
		reason Reason
	}{
		{name: "plain", raw: "a,b,c", want: []string{"a", "b", "c"}},
		{name: "one field", raw: "a", want: []string{"a"}},
		{name: "empty fields", raw: ",,", want: []string{"", "", ""}},
		{name: "nothing is one empty field", raw: "", want: []string{""}},
		{name: "spaces belong to the field", raw: " a ,\tb", want: []string{" a ", "\tb"}},
		{name: "quotes are taken off", raw: `"a","b,c",""`, want: []string{"a", "b,c", ""}},
		{name: "doubled quotes become one", raw: `"a""b","""",""""""`, want: []string{`a"b`, `"`, `""`}},
		{name: "several fields with doubled quotes", raw: `"x""1","y""2",z`, want: []string{`x"1`, `y"2`, "z"}},
		{name: "line ends in quotes stay", raw: "\"a\r\nb\nc\"", want: []string{"a\r\nb\nc"}},
		{name: "any byte is data", raw: "\x00,\xff,\\.", want: []string{"\x00", "\xff", `\.`}},
		{name: "delimiter behind a quoted field", raw: `"a",`, want: []string{"a", ""}},
		{name: "quote within a field", raw: `a,b"c,d`, want: []string{"a"}, reason: ReasonStrayQuote},
		{name: "quote at a field's end", raw: `a"`, reason: ReasonStrayQuote},
		{name: "quote behind a space", raw: ` "a"`, reason: ReasonStrayQuote},
		{name: "text behind a closing quote", raw: `a,"b"c,d`, want: []string{"a"}, reason: ReasonAfterQuote},
		{name: "space behind a closing quote", raw: `"b" ,d`, reason: ReasonAfterQuote},
		{name: "quote that is not closed", raw: `a,"b`, want: []string{"a"}, reason: ReasonUnclosedPart},
		{name: "doubled quote that is not closed", raw: `"b""`, reason: ReasonUnclosedPart},
		{name: "a lone quote", raw: `"`, reason: ReasonUnclosedPart},
	} {
		t.Run(test.name, func(t *testing.T) {
			fields, reason := SplitFields([]byte(test.raw), ',', nil)
			if diff := cmp.Diff(test.want, texts(fields)); diff != "" || reason != test.reason {
				t.Errorf("reason %q, not %q\n%s", reason, test.reason, diff)
			}
		})
	}
}

func TestSplitFieldsAppends(t *testing.T) {
	fields, _ := SplitFields([]byte(`b;"c"`), ';', [][]byte{[]byte("a")})
	if diff := cmp.Diff([]string{"a", "b", "c"}, texts(fields)); diff != "" {
		t.Error(diff)
	}
	// A field can't grow into its neighbour.
	_ = append(fields[1], 'x')
	if string(fields[2]) != "c" {
		t.Errorf("appending to one field changed the next to %q", fields[2])
	}
}

// The fields of a record are what its bytes hold between delimiters, so putting
// them together in quotes and splitting again changes nothing.
func TestSplitFieldsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		delimiter := delimiters.Draw(t, "delimiter")
		fields := rapid.SliceOfN(rapid.SliceOf(rapid.SampledFrom([]byte("\",; \r\nab\x00\xff"))), 1, 6).Draw(t, "fields")
		var raw []byte
		for i, field := range fields {
			if i > 0 {
				raw = append(raw, delimiter)
			}
			raw = append(raw, '"')
			raw = append(raw, bytes.ReplaceAll(field, []byte(`"`), []byte(`""`))...)
			raw = append(raw, '"')
		}
		before := string(raw)
		got, reason := SplitFields(raw, delimiter, nil)
		if diff := cmp.Diff(texts(fields), texts(got)); diff != "" || reason != "" {
			t.Fatalf("%q: reason %q\n%s", raw, reason, diff)
		}
		if string(raw) != before {
			t.Fatalf("%q became %q", before, raw)
		}
	})
}

func texts(fields [][]byte) []string {
	var s []string
	for _, f := range fields {
		s = append(s, string(f))
	}
	return s
}
