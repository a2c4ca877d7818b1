package expect_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/tests/docs/expect"
)

// TestSame is one case for each kind of what varies, and what only looks so.
func TestSame(t *testing.T) {
	for name, c := range map[string]struct {
		expected, got string
		same          bool
	}{
		"the same":                  {"a\nb", "a\nb", true},
		"another word":              {"a\nb", "a\nc", false},
		"another space":             {"a  b", "a b", false},
		"a line more":               {"a", "a\nb", false},
		"a line less":               {"a\nb", "a", false},
		"lines for an elision":      {"a\n…\nd", "a\nb\nc\nd", true},
		"none for an elision":       {"a\n…\nd", "a\nd", true},
		"the end elided":            {"a\n  …", "a\nb\nc", true},
		"after an elision, another": {"a\n…\nd", "a\nb\nc", false},
		"words for an elision":      {"a … d", "a b c d", true},
		"one word that is cut":      {`{"a":1,…,"c":3}`, `{"a":1,"b":2,"c":3}`, true},
		"not across lines":          {"a … d", "a b\nc d", false},

		"rate":               {"(469 rows/s)", "(1,204 rows/s)", true},
		"rate in thousands":  {"469 rows/s", "61.2k rows/s", true},
		"rows are no rate":   {"469 rows", "470 rows", false},
		"duration":           {"1 file in 0.0s:", "1 file in 1m12s:", true},
		"long duration":      {"Done in 2.6 s.", "Done in 11.0 s.", true},
		"a promise":          {"within 5 s", "within 6 s", false},
		"moment":             {"time=2026-11-25T20:00:00Z x", "time=2027-01-01T00:00:00.123+01:00 x", true},
		"a date of the data": {`"first":"2012-01-10T00:00:00Z"`, `"first":"2012-01-11T00:00:00Z"`, false},
		"clock":              {"18:52:50 Published", "08:01:02 Published", true},
		"a time of day":      {"at 18:52:50", "at 18:52:51", false},
		"uuid":               {`"f6359c4a-0d42-4e8f-8aa0-53f542b16cac"`, `"00000000-0000-0000-0000-000000000000"`, true},
		"a digest":           {"id b6cb7b1c05117adfe2cfdefea0ca2faa", "id b6cb7b1c05117adfe2cfdefea0ca2fab", false},
		"address":            {"nats://127.0.0.1:4222", "nats://127.0.0.1:45671", true},
		"another host":       {"nats://127.0.0.1:4222", "nats://127.0.0.2:4222", false},
		"a port was taken":   {"in this process", "in this process; port 4222 was taken", true},
		"temporary folder":   {"/tmp/streamgauge-sandbox-290/env", "/var/x/streamgauge-sandbox-1a/env", true},
		"PostgreSQL": {
			"15.18 from /usr/lib/postgresql/15/bin, as user nobody", "17.2 from /opt/homebrew/opt/postgresql@17/bin", true,
		},
		"commit": {"dist/streamgauge-9fbd899.zip", "dist/streamgauge-0123456789ab.zip", true},
	} {
		t.Run(name, func(t *testing.T) {
			expected, got := strings.Split(c.expected, "\n"), strings.Split(c.got, "\n")
			if d := expect.Compare(expected, got); (d == nil) != c.same {
				t.Errorf("Compare(%q, %q) = %+v", c.expected, c.got, d)
			}
			if c.same {
				return
			}
			if d := expect.Compare(expect.Updated(expected, got), got); d != nil {
				t.Errorf("brought up to date it is %q, which differs: %+v", expect.Updated(expected, got), d)
			}
		})
	}
}

func TestUpdated(t *testing.T) {
	for name, c := range map[string]struct{ expected, got, want string }{
		"what matches stays, with its times":      {"in 0.3s\nrows 1\n…", "in 0.9s\nrows 2\nmore", "in 0.3s\nrows 2\n…"},
		"elided words stay":                       {"… level=INFO msg=a n=1", "time=x level=INFO msg=a n=2", "… level=INFO msg=a n=2"},
		"a new line":                              {"a\nb", "a\nnew\nb", "a\nnew\nb"},
		"a line that is gone":                     {"a\ngone\nb", "a\nb", "a\nb"},
		"a line that is gone, beside an elision":  {"…\ngone there\nb", "1\n2\nb", "…\nb"},
		"nothing shown":                           {"", "a\nb", "a\nb"},
		"a figure after an elision":               {"rows 1\n…\nrows 8", "rows 1\nrows 2\nrows 9", "rows 1\n…\nrows 9"},
		"a word within what stays as it was":      {`{"a":"f6359c4a-0d42-4e8f-8aa0-53f542b16cac","b":1}`, `{"a":"00000000-0000-0000-0000-000000000000","b":2}`, `{"a":"f6359c4a-0d42-4e8f-8aa0-53f542b16cac","b":2}`},
		"something new within a line with a time": {"1 file in 0.0s: 22 sent", "1 file in 0.1s: 22 sent, 0 bad", "1 file in 0.0s: 22 sent, 0 bad"},
	} {
		t.Run(name, func(t *testing.T) {
			var expected []string
			if c.expected != "" {
				expected = strings.Split(c.expected, "\n")
			}
			got := expect.Updated(expected, strings.Split(c.got, "\n"))
			if diff := cmp.Diff(strings.Split(c.want, "\n"), got); diff != "" {
				t.Errorf("want -, got +\n%s", diff)
			}
		})
	}
}

func TestBegins(t *testing.T) {
	for name, c := range map[string]struct {
		expected, got string
		begins        int
		possible      bool
	}{
		"all of it":           {"a b", "a b", 2, true},
		"more":                {"a b", "a b c", 2, false},
		"not yet":             {"a b", "a", -1, true},
		"never":               {"a b", "a c", -1, false},
		"after an elision":    {"a … d", "a b c d e", 4, true},
		"within an elision":   {"a … d", "a b c", -1, true},
		"an elision, the end": {"a …", "a b c", 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			expected, got := strings.Fields(c.expected), strings.Fields(c.got)
			if n := expect.Begins(expected, got); n != c.begins {
				t.Errorf("Begins: %d, want %d", n, c.begins)
			}
			if p := expect.Possible(expected, got); p != c.possible {
				t.Errorf("Possible: %t, want %t", p, c.possible)
			}
		})
	}
}
