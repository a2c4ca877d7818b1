package escape

import (
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

func TestName(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"plain":           {"2012-1.csv", "2012-1.csv"},
		"letters":         {"año 2012.csv", "año 2012.csv"},
		"empty":           {"", `""`},
		"line feed":       {"a\nb", `"a\nb"`},
		"terminal escape": {"\x1b[2J", `"\x1b[2J"`},
		"C1 control":      {"\u009b2J", `"\u009b2J"`},
		"bidi override":   {"a\u202eb", `"a\u202eb"`},
		"not UTF-8":       {"a\xffb", `"a\xffb"`},
		"quote":           {`a"b`, `"a\"b"`},
		"trailing space":  {"a ", `"a "`},
		"long":            {strings.Repeat("é", 61), `"` + strings.Repeat("é", 60) + `"…`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Name(c.in); got != c.want {
				t.Errorf("Name(%q) = %s, want %s", c.in, got, c.want)
			}
		})
	}
}

func TestNames(t *testing.T) {
	if got, want := Names([]string{"a", "b\n"}), `"a", "b\n"`; got != want {
		t.Errorf("Names = %s, want %s", got, want)
	}
	if got := Names(make([]string, 25)); !strings.HasSuffix(got, `"" and 5 more`) {
		t.Errorf("Names of 25 = %s", got)
	}
}

// Whatever the bytes, what is shown is printable and bounded.
func TestShownIsPrintable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOf(rapid.Byte()).Draw(t, "raw")
		limit := rapid.IntRange(0, 50).Draw(t, "limit")
		for _, shown := range []string{Name(string(raw)), Quote(raw, limit), Names([]string{string(raw)})} {
			for _, r := range shown {
				if !unicode.IsPrint(r) {
					t.Fatalf("%q is shown as %q", raw, shown)
				}
			}
		}
		if shown := Quote(raw, limit); len(shown) > 4*limit+len(`""…`) {
			t.Fatalf("%d bytes shown of a limit of %d", len(shown), limit)
		}
	})
}
