package wire_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/shared/wire"
)

// members are what a plan's JSON may hold, by the specification.
var members = []string{"delimiter", "decimal_comma", "fields", "timestamp", "price", "user_id", "timestamp_format", "timezone", "batch_size"}

// FuzzPlan reads plans as a header carries them. One that is accepted is the
// same plan when it is written and read again, holds what PostgreSQL's jsonb can
// hold, and no member that this version does not know.
func FuzzPlan(f *testing.F) {
	for _, seed := range []string{
		`{"delimiter":",","fields":3,"timestamp":0,"price":1,"user_id":2,"batch_size":500}`,
		`{"delimiter":";","decimal_comma":true,"fields":4,"timestamp":3,"price":1,"user_id":0,"timestamp_format":"%d/%m/%Y","timezone":"Europe/Madrid","batch_size":1}`,
		`{"delimiter":",","fields":3,"timestamp":0,"price":1,"user_id":2,"batch_size":500,"quote":"'"}`,
		`{"DELIMITER":",","Fields":3,"timestamp":0,"price":1,"user_id":2,"batch_size":500}{}`,
		`{"delimiter":"\u0000","fields":1e2,"timestamp":-1,"timestamp_format":"\ud800%Y","batch_size":50001}`,
		`{"delimiter":",","delimiter":";","fields":3,"price":1,"user_id":2,"batch_size":9}`, `null`, `[]`, ``, `{}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		plan, err := wire.ParsePlan(text)
		if err != nil {
			return
		}
		checkMembers(t, text)
		if plan.Validate() != nil {
			return
		}
		written, err := json.Marshal(plan)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := wire.ParsePlan(written); err != nil || again != plan {
			t.Fatalf("%+v was written as %s, which is %+v, %v", plan, written, again, err)
		}
		if bytes.Contains(written, []byte(`\u0000`)) || !utf8.Valid(written) || plan.BatchSize > wire.MaxRecords || plan.Fields > wire.MaxFields {
			t.Fatalf("a valid plan: %s", written)
		}
	})
}

// checkMembers reads the JSON again without knowing what a plan is.
func checkMembers(t *testing.T, text []byte) {
	t.Helper()
	var any map[string]json.RawMessage
	if err := json.Unmarshal(text, &any); err != nil {
		t.Fatalf("%q was accepted: %v", text, err)
	}
	for name := range any {
		known := false
		for _, member := range members {
			known = known || strings.EqualFold(name, member)
		}
		if !known {
			t.Fatalf("%q was accepted with the member %q", text, name)
		}
	}
}

// FuzzLoad reads questions and answers about a load. What one program writes
// the other reads as the same.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		`{"source":"b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9","name":"a.csv","missing":10000,"rejects":5}`,
		`{"load":{"source":"x","name":"\u009b","size":1,"plan":{"delimiter":","},"batches":9,"done":7,"rows":1,"rejected":2,"missing":[{"first":1,"last":2}],"missing_more":true,"rejects":[{"line":2,"column":"price","reason":"r","raw":"AP8="}]}}`,
		`{"named":[{},{}],"dead":[{"number":1,"sequence":18446744073709551615,"reason":""}]}`,
		`{"name":"\ud800","missing":-1}`, `{"load":null}`, `{"named":[]}`, `[]`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		roundTrip[wire.LoadRequest](t, text)
		roundTrip[wire.LoadReply](t, text)
	})
}

func roundTrip[T any](t *testing.T, text []byte) {
	t.Helper()
	var first, second T
	if json.Unmarshal(text, &first) != nil {
		return
	}
	written, err := json.Marshal(first)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(written, &second); err != nil {
		t.Fatalf("%s can't be read again: %v", written, err)
	}
	again, err := json.Marshal(second)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(written), string(again)); diff != "" {
		t.Fatal("first -, second +", diff)
	}
}
