package stats_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/streamgauge/streamgauge/shared/stats"
)

func snapshot() stats.Snapshot {
	return stats.Snapshot{
		Metric: "price", Database: "0b1f2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d", Revision: 7,
		Rows: 151, Count: 147, Nulls: 4, Rejected: 0, Dead: 0,
		Sum: "8380", Mean: "57.0068027210884354", Min: "10", Max: "100", StdDev: "26.8470012345678901",
		P50: "54.5", P95: "96.5", P99: "100",
		First: "2012-01-01T00:00:00Z", Last: "2012-06-08T00:00:00Z",
		Source: "validation.csv", UpdatedAt: "2026-11-23T18:00:00.123456Z",
	}
}

const line = `{"metric":"price","database":"0b1f2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d","revision":7,` +
	`"rows":151,"count":147,"nulls":4,"rejected":0,"dead":0,` +
	`"sum":8380,"mean":57.0068027210884354,"min":10,"max":100,"stddev":26.8470012345678901,"p50":54.5,"p95":96.5,"p99":100,` +
	`"first":"2012-01-01T00:00:00Z","last":"2012-06-08T00:00:00Z",` +
	`"source":"validation.csv","updated_at":"2026-11-23T18:00:00.123456Z"}`

func TestEncode(t *testing.T) {
	for _, test := range []struct {
		rule  string
		alter func(*stats.Snapshot)
		from  string
		to    string
	}{
		{"as it is", func(*stats.Snapshot) {}, "", ""},
		{
			"null where SQL says null",
			func(s *stats.Snapshot) {
				s.Sum, s.Mean, s.Min, s.Max, s.StdDev, s.First, s.Last = "", "", "", "", "", "", ""
				s.P50, s.P95, s.P99 = "", "", ""
			},
			`"sum":8380,"mean":57.0068027210884354,"min":10,"max":100,"stddev":26.8470012345678901,"p50":54.5,"p95":96.5,"p99":100,"first":"2012-01-01T00:00:00Z","last":"2012-06-08T00:00:00Z"`,
			`"sum":null,"mean":null,"min":null,"max":null,"stddev":null,"p50":null,"p95":null,"p99":null,"first":null,"last":null`,
		},
		{
			"every digit and the scale",
			func(s *stats.Snapshot) {
				s.Sum, s.Min, s.Max = "12345678901234567890123456789012345678.1234567890123456789", "-0.0000000000000000001", "50.00"
			},
			`"sum":8380,"mean":57.0068027210884354,"min":10,"max":100`,
			`"sum":12345678901234567890123456789012345678.1234567890123456789,"mean":57.0068027210884354,"min":-0.0000000000000000001,"max":50.00`,
		},
		{"no HTML escapes", func(s *stats.Snapshot) { s.Source = "<a&b>.csv" }, "validation.csv", "<a&b>.csv"},
		{"printable text of any script", func(s *stats.Snapshot) { s.Source = "ñandú 水 🌊.csv" }, "validation.csv", "ñandú 水 🌊.csv"},
		{"quote and backslash", func(s *stats.Snapshot) { s.Source = `a"b\c` }, "validation.csv", `a\"b\\c`},
		{"C0", func(s *stats.Snapshot) { s.Source = "\x1b[31m\a\n\r\t\x00" }, "validation.csv", `\u001b[31m\u0007\n\r\t\u0000`},
		{"DEL", func(s *stats.Snapshot) { s.Source = "a\x7fb" }, "validation.csv", `a\u007fb`},
		{"C1", func(s *stats.Snapshot) { s.Source = "\u0080\u009b31m\u009f" }, "validation.csv", `\u0080\u009b31m\u009f`},
		{"bidi controls", func(s *stats.Snapshot) { s.Source = "a\u202egpj.exe\u2066\u200f" }, "validation.csv", `a\u202egpj.exe\u2066\u200f`},
		{"line separators", func(s *stats.Snapshot) { s.Source = "a\u2028b\u2029c\u0085" }, "validation.csv", `a\u2028b\u2029c\u0085`},
		{"spaces that are not U+0020", func(s *stats.Snapshot) { s.Source = "a\u00a0b\u3000c" }, "validation.csv", `a\u00a0b\u3000c`},
		{"invisible", func(s *stats.Snapshot) { s.Source = "a\u00ad\u200b\ufeffb" }, "validation.csv", `a\u00ad\u200b\ufeffb`},
		{"astral", func(s *stats.Snapshot) { s.Source = "\U000e0041\U0010ffff" }, "validation.csv", `\udb40\udc41\udbff\udfff`},
		{"invalid UTF-8", func(s *stats.Snapshot) { s.Source = "a\xff\x9b31m" }, "validation.csv", `a\ufffd\ufffd31m`},
	} {
		t.Run(test.rule, func(t *testing.T) {
			s := snapshot()
			test.alter(&s)
			got, err := s.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Replace(line, test.from, test.to, 1), string(got)); diff != "" {
				t.Error("want -, got +", diff)
			}
		})
	}
}

// Whatever a source is called, its line is one line, printable, valid JSON, and
// brings the name back.
func TestEncodeAnyName(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := snapshot()
		s.Source = rapid.StringOf(rapid.OneOf(rapid.Rune(), rapid.RuneFrom(nil, unicode.Cc, unicode.Cf, unicode.Zs, unicode.Co))).Draw(t, "name")
		got, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range string(got) {
			if !unicode.IsPrint(r) {
				t.Fatalf("%U stands in %s", r, got)
			}
		}
		again, err := stats.Decode(got)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s, again); diff != "" {
			t.Fatal("sent -, received +", diff)
		}
	})
}

func TestEncodeRefusesWhatIsNoNumber(t *testing.T) {
	s := snapshot()
	s.Mean = "NaN"
	if got, err := s.Encode(); err == nil {
		t.Errorf("encoded as %s", got)
	}
}

func TestLine(t *testing.T) {
	got, err := stats.Line(map[string]string{"name": "a\u009bb"})
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"name":"a\u009bb"}`; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, err := stats.Line(func() {}); err == nil {
		t.Error("a function is JSON")
	}
}

func TestDecode(t *testing.T) {
	t.Run("what Encode writes", func(t *testing.T) {
		got, err := stats.Decode([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(snapshot(), got); diff != "" {
			t.Error("want -, got +", diff)
		}
	})
	t.Run("unknown fields are ignored", func(t *testing.T) {
		got, err := stats.Decode([]byte(strings.Replace(line, "{", `{"median":{"value":[1]},`, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(snapshot(), got); diff != "" {
			t.Error("want -, got +", diff)
		}
	})
	t.Run("null is empty", func(t *testing.T) {
		got, err := stats.Decode([]byte(`{"metric":"price","sum":null,"first":null}`))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(stats.Snapshot{Metric: "price"}, got); diff != "" {
			t.Error("want -, got +", diff)
		}
	})
	for _, text := range []string{"", "hello", "[]", "{", line + line, `{"revision":1.5}`, `{"mean":{}}`, `{"mean":"many"}`, `{"mean":true}`, `{"first":7}`} {
		t.Run(fmt.Sprintf("refuses %.20s", text), func(t *testing.T) {
			if got, err := stats.Decode([]byte(text)); err == nil {
				t.Errorf("read as %+v", got)
			}
		})
	}
}

func TestSupersedes(t *testing.T) {
	at := func(database string, revision int64) *stats.Snapshot {
		return &stats.Snapshot{Database: database, Revision: revision}
	}
	for _, test := range []struct {
		rule string
		s    *stats.Snapshot
		last *stats.Snapshot
		want bool
	}{
		{"higher revision", at("a", 8), at("a", 7), true},
		{"same revision", at("a", 7), at("a", 7), false},
		{"lower revision", at("a", 6), at("a", 7), false},
		{"first revision of an empty database", at("a", 1), at("a", 0), true},
		{"other database, higher", at("b", 8), at("a", 7), true},
		{"other database, same", at("b", 7), at("a", 7), true},
		{"other database, lower", at("b", 1), at("a", 7), true},
	} {
		t.Run(test.rule, func(t *testing.T) {
			if got := test.s.Supersedes(test.last); got != test.want {
				t.Errorf("got %t", got)
			}
		})
	}
}

func TestTime(t *testing.T) {
	zone := time.FixedZone("", -5*60*60)
	for _, test := range []struct {
		rule string
		time time.Time
		want stats.Time
	}{
		{"whole second", time.Date(2012, 1, 10, 0, 0, 0, 0, time.UTC), "2012-01-10T00:00:00Z"},
		{"in UTC", time.Date(2012, 1, 10, 20, 0, 0, 0, zone), "2012-01-11T01:00:00Z"},
		{"microseconds", time.Date(2012, 1, 10, 0, 0, 0, 120_999, time.UTC), "2012-01-10T00:00:00.00012Z"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			got := stats.TimeOf(test.time)
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			again, err := got.Parse()
			if err != nil || !again.Equal(test.time.Truncate(time.Microsecond)) {
				t.Errorf("comes back as %v, %v", again, err)
			}
		})
	}
	if _, err := stats.Time("").Parse(); err == nil {
		t.Error("NULL is an instant")
	}
	text, err := json.Marshal([]stats.Time{"", "2012-01-10T00:00:00Z"})
	if err != nil || string(text) != `[null,"2012-01-10T00:00:00Z"]` {
		t.Errorf("got %s, %v", text, err)
	}
}
