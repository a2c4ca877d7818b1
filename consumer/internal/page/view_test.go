package page

import (
	"strings"
	"testing"
	"unicode"

	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/shared/stats"
)

// Whatever a file is called and holds, what reaches the page can be seen as it is.
func TestHostileTextIsShownEscaped(t *testing.T) {
	hostile := "a\u202eb\x00\xff<script>\u2028\x1b[2J"
	s := at(1)
	s.Source = hostile
	found := look{recent: &store.Recent{
		Loads:   []store.RecentLoad{{Name: hostile}},
		Rejects: []store.RecentReject{{Name: hostile, Column: hostile, Reason: hostile, Raw: []byte(hostile)}},
		Dead:    []store.RecentDead{{Reason: hostile}},
	}}
	view := lookView(&found).Recent
	for what, text := range map[string]string{
		"source": snapshotView(s).Source, "load": view.Loads[0].Name, "reject": view.Rejects[0].Name,
		"column": view.Rejects[0].Column, "reason": view.Rejects[0].Reason, "record": view.Rejects[0].Record, "dead": view.Dead[0].Reason,
	} {
		if strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0 || !strings.Contains(text, "<script>") {
			t.Errorf("%s: %q", what, text)
		}
	}
}

func TestExcerpt(t *testing.T) {
	long := strings.Repeat("é", longestExcerpt)
	for _, test := range []struct {
		rule, raw string
		length    int64
		want      string
	}{
		{"a record as it is", "2/11/2012,fifty,2", 17, "2/11/2012,fifty,2"},
		{"of a long one the beginning, whole characters", "x" + long, int64(1 + len(long)), "x" + strings.Repeat("é", (longestExcerpt-1)/2) + " …"},
		{"of which more is kept than shown nowhere", "abc", 1 << 30, "abc …"},
		{"bytes that are no text", "\xff\xfe", 2, `"\xff\xfe"`},
		{"none", "", 0, ""},
	} {
		t.Run(test.rule, func(t *testing.T) {
			if got := excerpt([]byte(test.raw), test.length); got != test.want {
				t.Errorf("%q, not %q", got, test.want)
			}
		})
	}
}

func TestNullIsAnEmptyString(t *testing.T) {
	view := snapshotView(&stats.Snapshot{})
	if view.Mean != "" || view.First != "" {
		t.Errorf("%+v", view)
	}
}
