package stats_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/shared/stats"
)

func TestGroup(t *testing.T) {
	g := stats.Group{
		Metric: "price", Database: "0b1f2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d", Revision: 7, By: stats.BySource,
		Key: "8be4b310+v1.2", Name: "a\x1bb.csv", Rows: 5, Count: 4, Nulls: 1,
		Sum: "216.00", Mean: "54.0000000000000000", Min: "50.00", Max: "58", StdDev: "3.65", P50: "54.5", P95: "58", P99: "",
	}
	got, err := g.Encode()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"metric":"price","database":"0b1f2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d","revision":7,"by":"source","key":"8be4b310+v1.2","name":"a\u001bb.csv",` +
		`"rows":5,"count":4,"nulls":1,"sum":216.00,"mean":54.0000000000000000,"min":50.00,"max":58,"stddev":3.65,"p50":54.5,"p95":58,"p99":null}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error("want -, got +", diff)
	}
	again, err := stats.DecodeGroup(got)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(g, again); diff != "" {
		t.Error("sent -, received +", diff)
	}
	if _, err := stats.DecodeGroup([]byte(`{"mean":"many"}`)); err == nil {
		t.Error("words are numbers")
	}
	g.Mean = "NaN"
	if line, err := g.Encode(); err == nil {
		t.Errorf("encoded as %s", line)
	}
}
