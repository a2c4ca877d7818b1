package stats_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/shared/stats"
)

// FuzzSnapshot reads what anyone may publish on stats.price. What is read is
// written as one line that is safe to show, and read from that as the same.
func FuzzSnapshot(f *testing.F) {
	for _, seed := range []string{
		`{"metric":"price","database":"d","revision":7,"rows":151,"count":147,"nulls":4,"rejected":0,"dead":0,"sum":8380,"mean":57.0068027210884354,"min":10,"max":100.00,"stddev":null,"p50":54.5,"p95":null,"p99":1e2,"first":"2012-01-10T00:00:00Z","last":null,"source":"validation.csv","updated_at":"2012-01-10T00:00:00Z"}`,
		`{"sum":-0.000,"mean":1e400,"min":"5","source":"` + "\u009b\u202e\x7f\U000e0041" + `\u001b[2J\ud800","later":{"a":[1]}}`,
		`{"sum":"NaN"}`, `{"revision":9223372036854775808}`, "{\"source\":\"\xff\"}", `null`, `{}`, `[]`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		first, err := stats.Decode(text)
		if err != nil {
			return
		}
		line, err := first.Encode()
		if err != nil {
			t.Fatalf("%+v was read and can't be written: %v", first, err)
		}
		for _, r := range string(line) {
			if !unicode.IsPrint(r) {
				t.Fatalf("%U in %q", r, line)
			}
		}
		if !json.Valid(line) || bytes.ContainsRune(line, '\n') {
			t.Fatalf("not a line of JSON: %q", line)
		}
		second, err := stats.Decode(line)
		if err != nil {
			t.Fatalf("%q can't be read again: %v", line, err)
		}
		if diff := cmp.Diff(first, second); diff != "" {
			t.Fatal("first -, second +", diff)
		}
	})
}
