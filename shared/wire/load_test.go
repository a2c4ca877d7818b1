package wire_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/shared/wire"
)

// The names and the order are what other programs read.
func TestLoadJSON(t *testing.T) {
	p := validBatch().Plan
	for _, test := range []struct {
		rule  string
		value any
		want  string
	}{
		{"question by source", wire.LoadRequest{Source: content, Missing: 10, Rejects: 3}, `{"source":"` + content + `","missing":10,"rejects":3}`},
		{"question by name", wire.LoadRequest{Name: "2012-1.csv"}, `{"name":"2012-1.csv"}`},
		{"nothing known", wire.LoadReply{}, `{}`},
		{
			"answer",
			wire.LoadReply{
				Load: &wire.Load{
					Source: content, Name: "2012-1.csv", Size: 3029, Plan: p, Batches: 7, Done: 5, Rows: 24, Rejected: 1,
					Missing: []wire.Range{{First: 2, Last: 2}, {First: 7, Last: 7}}, MissingMore: true,
					Rejects: []wire.Reject{{Line: 9, Column: "price", Reason: "not a decimal number", Raw: []byte("1/10/2012,x\xff,9")}},
				},
				Named: []wire.Load{{Source: content, Name: "2012-1.csv", Size: 3029, Plan: p, Batches: 7, Done: 7, Rows: 30}},
				Dead:  []wire.DeadBatch{{Number: 2, Sequence: 77, Reason: "body: empty"}, {Sequence: 78, Reason: "header Streamgauge-Batch: missing"}},
			},
			`{"load":{"source":"` + content + `","name":"2012-1.csv","size":3029,"plan":` + plan + `,"batches":7,"done":5,"rows":24,"rejected":1,` +
				`"missing":[{"first":2,"last":2},{"first":7,"last":7}],"missing_more":true,` +
				`"rejects":[{"line":9,"column":"price","reason":"not a decimal number","raw":"MS8xMC8yMDEyLHj/LDk="}]},` +
				`"named":[{"source":"` + content + `","name":"2012-1.csv","size":3029,"plan":` + plan + `,"batches":7,"done":7,"rows":30,"rejected":0}],` +
				`"dead":[{"number":2,"sequence":77,"reason":"body: empty"},{"sequence":78,"reason":"header Streamgauge-Batch: missing"}]}`,
		},
	} {
		t.Run(test.rule, func(t *testing.T) {
			got, err := json.Marshal(test.value)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(got)); diff != "" {
				t.Error("want -, got +", diff)
			}
		})
	}
}

func TestLoadComplete(t *testing.T) {
	if l := (wire.Load{Batches: 7, Done: 6}); l.Complete() {
		t.Error("6 of 7 are taken for complete")
	}
	if l := (wire.Load{Batches: 7, Done: 7}); !l.Complete() {
		t.Error("7 of 7 are not taken for complete")
	}
}

func TestParsePlan(t *testing.T) {
	want := validBatch().Plan
	for rule, text := range map[string]string{
		"as written":  plan,
		"other order": `{"batch_size":5,"user_id":2,"price":1,"timestamp":0,"fields":3,"delimiter":","}`,
		"with space":  strings.ReplaceAll(" "+plan+"\n", ":", " :\n\t"),
		"with what may be left out": strings.Replace(plan, "{",
			`{"decimal_comma":false,"timestamp_format":"","timezone":"",`, 1),
	} {
		t.Run(rule, func(t *testing.T) {
			got, err := wire.ParsePlan([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
	t.Run("text after it", func(t *testing.T) {
		if _, err := wire.ParsePlan([]byte(plan + "{}")); err == nil {
			t.Error("two plans pass for one")
		}
	})
}
